// 按事项的表单说明出题：哪些题要答、怎样答、答得对不对。与服务器同一份说明，服务器再查一遍。
const conditions = require('./conditions')
const { visible } = conditions

function widget (told, words) {
  if (words.widget) return words.widget
  if (told.type === 'boolean') return 'yes'
  if (told.type === 'integer') return 'number'
  if (told.type === 'array') return 'choices'
  if (told.oneOf) return 'choice'
  return told.format === 'date' ? 'date' : told.format === 'cn-mobile' ? 'tel' : 'line'
}

function choices (told) {
  return told.oneOf || (told.items && told.items.oneOf) || []
}

// 给页面画的样子：小节、题目、选项、已填的内容和错处。
function sections (form, answers, problems) {
  const asked = visible(form, answers)
  return form.sections
    .map(section => ({
      title: section.title,
      fields: section.fields.filter(name => asked.indexOf(name) >= 0).map(name => {
        const told = form.schema.properties[name]
        const words = form.fields[name]
        const answer = answers[name]
        const options = choices(told).map(one => ({
          value: one.const,
          title: one.title,
          chosen: Array.isArray(answer) ? answer.indexOf(one.const) >= 0 : answer === one.const
        }))
        const chosen = options.filter(one => one.chosen)[0]
        return {
          name,
          label: words.label,
          help: words.help || '',
          placeholder: words.placeholder || '',
          widget: widget(told, words),
          required: form.schema.required.indexOf(name) >= 0,
          most: told.maxLength || 200,
          options,
          chosen: chosen ? chosen.title : '',
          answer: answer === undefined || answer === null ? '' : answer,
          problem: (problems[name] || [])[0] || ''
        }
      })
    }))
    .filter(section => section.fields.length)
}

const WAYS = { paper: '交纸质件（窗口或邮寄）', promise: '书面承诺代替', shared: '由部门查验，免交', upload: '拍照或上传文件' }

// 只有申请人自己知道的情形，当作一道题来问。
function variantSection (variants, chosen, problems) {
  const options = variants.filter(one => !one.when)
    .map(one => ({ value: one.code, title: one.name, chosen: one.code === chosen }))
  if (!options.length) return []
  const asked = {
    name: 'variant',
    label: '您的情形',
    help: '',
    placeholder: '',
    widget: 'choice',
    required: true,
    most: 0,
    options,
    chosen: '',
    answer: chosen,
    problem: (problems.variant || [])[0] || ''
  }
  return [{ title: '情形', fields: [asked] }]
}

// 材料和各自可以怎样交。
function materials (needed, ways, problems, files) {
  return needed.map(one => ({
    code: one.code,
    name: one.name,
    note: one.note,
    required: one.required,
    problem: (problems['materials.' + one.code] || [])[0] || '',
    uploads: ways[one.code] === 'upload',
    count: (files || []).filter(file => file.material === one.code).length,
    ways: one.handings.map(way => ({ value: way, title: WAYS[way] || way, chosen: ways[one.code] === way }))
  }))
}

// 页面上输入的文字变成答案；空的当作没有答。
function answerOf (form, name, raw) {
  const told = form.schema.properties[name]
  if (told.type === 'integer') return /^-?[0-9]{1,13}$/.test(String(raw).trim()) ? Number(raw) : (String(raw).trim() || undefined)
  if (told.type === 'boolean') return raw === true || (Array.isArray(raw) && raw.length > 0) ? true : undefined
  if (told.type === 'array') return Array.isArray(raw) && raw.length ? raw : undefined
  return String(raw).trim() || undefined
}

// 要送出的：只有改过的。证件号码等读回来时带星号，没有改过就不能送回去。
function changes (form, answers, touched) {
  const seen = visible(form, answers)
  const found = {}
  Object.keys(touched).forEach(name => {
    if (seen.indexOf(name) >= 0) found[name] = answers[name] === undefined ? null : answers[name]
  })
  return found
}

// 提交前在手机上先看一遍：只查漏填和这次填的里明显的错，其余由服务器说。
function problems (form, answers, touched) {
  const found = {}
  visible(form, answers).forEach(name => {
    const told = form.schema.properties[name]
    const answer = answers[name]
    if (answer === undefined) {
      if (form.schema.required.indexOf(name) >= 0) found[name] = ['请填写这一项']
    } else if (!touched[name]) {
      // 以前存下的，服务器已经看过。
    } else if (told.type === 'integer' && (typeof answer !== 'number' || answer < told.minimum || answer > told.maximum)) {
      found[name] = ['请填写 ' + told.minimum + ' 至 ' + told.maximum + ' 之间的整数']
    } else if (told.minLength && String(answer).length < told.minLength) {
      found[name] = ['至少要有 ' + told.minLength + ' 个字']
    } else if (told.format === 'cn-mobile' && !/^1[3-9][0-9]{9}$/.test(String(answer).replace(/[\s-]/g, '').replace(/^\+86/, ''))) {
      found[name] = ['手机号码应为 11 位数字']
    }
  })
  // 带星号读回来、这次没有改的，手机上不知道内容。
  const unknown = Object.keys(answers).filter(name => !touched[name] && form.schema.properties[name] && form.schema.properties[name]['x-personal'])
  conditions.broken(form, answers, unknown).forEach(([name, message]) => {
    if (!found[name]) found[name] = [message]
  })
  return found
}

module.exports = { visible, sections, variantSection, materials, answerOf, changes, problems }
