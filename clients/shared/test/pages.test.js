const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { beforeEach, test } = require('node:test')

// 在一个小程序的文件夹里运行：测的是它。
const own = name => require(path.resolve(name))
const { phone, open, words, tap, enter, reset, until, ROOT, MARKUP } = own('test/lib/phone')
const config = own('config')
const platform = own('lib/platform')

const ITEM = {
  id: '7', body_name: '省公安厅', sample: true, open: true, page_id: '9',
  content: {
    name: '居民身份证补领', summary: '丢了证件重新办', promised_days: 15, visits: 1, visit_reason: '采集照片', conditions: ['户口在本省'],
    materials: [{ code: 'm1', name: '户口簿', note: '', required: true, handings: ['paper', 'promise'] }],
    steps: [{ name: '审查', days: 10, result: '' }], fees: [{ name: '工本费', fen: 4000, standard: '' }], places: [], questions: [], hotline: '12345'
  },
  form: {
    schema: {
      type: 'object', additionalProperties: false, required: ['name', 'ground', 'employer', 'truthful'],
      properties: {
        name: { type: 'string', minLength: 2, maxLength: 40 },
        ground: { type: 'string', oneOf: [{ const: 'work', title: '就业' }, { const: 'home', title: '住所' }] },
        employer: { type: 'string', maxLength: 30 },
        rooms: { type: 'integer', minimum: 1, maximum: 20 },
        truthful: { type: 'boolean', const: true }
      }
    },
    sections: [{ title: '申请人', fields: ['name'] }, { title: '情况', fields: ['ground', 'employer', 'rooms', 'truthful'] }],
    fields: {
      name: { label: '姓名' },
      ground: { label: '理由', widget: 'choice' },
      employer: { label: '单位', visible_if: { '===': [{ var: 'ground' }, 'work'] } },
      rooms: { label: '房间数', visible_if: { '===': [{ var: 'ground' }, 'home'] }, widget: 'number' },
      truthful: { label: '内容属实', widget: 'yes' }
    }
  }
}
const OPENED = { token: 'r_secret', expires_at: '2999-01-01T00:00:00Z', id: '1' }

beforeEach(reset)

test('the pages of the app are all there', () => {
  const app = JSON.parse(fs.readFileSync(path.join(ROOT, 'app.json'), 'utf8'))

  for (const page of app.pages) {
    for (const kind of ['js', 'json', MARKUP]) assert.ok(fs.existsSync(path.join(ROOT, page + '.' + kind)), page + '.' + kind)
  }
})

test('no page loads anything from elsewhere', async () => {
  const found = fs.readdirSync(ROOT, { recursive: true }).map(String).filter(name => !/^(node_modules|test)\b/.test(name) && /\.(js|json|[wa]xml|wxss|acss)$/.test(name))

  for (const name of found) {
    if (name === 'config.js' || name.startsWith('package')) continue
    assert.doesNotMatch(fs.readFileSync(path.join(ROOT, name), 'utf8'), /https?:\/\/[a-z]/, name)
  }
})

test('the home page lists items and pages of departments', async () => {
  phone.answers = {
    'GET /items': { items: [{ id: '7', name: '身份证补领', body_name: '省公安厅', sample: true }], next_after: null },
    'GET /published-pages': { items: [{ id: '9', name: '户政办理', body_name: '省公安厅' }], next_cursor: null }
  }

  const page = await open('home')
  await tap(page, '.item')
  await tap(page, '.page-row')

  assert.match(words(page, '.item')[0], /身份证补领.*示例数据/)
  assert.deepEqual(phone.went, ['/pages/item/item?id=7', '/pages/web/web?page=9'])
})

for (const [reason, expected] of [
  [{ lost: 'timeout' }, '等了太久没有回应'],
  [{ lost: 'offline' }, '网络不通'],
  [{ status: 503, data: { title: '系统正在维护' } }, '系统正在维护'],
  [{ status: 409, data: { title: '与现有数据冲突', detail: '草稿已有 5 份' } }, '草稿已有 5 份'],
  [{ status: 200, data: '<html>' }, '无线网络可能要先登录'],
  [{ status: 500, data: '<html>' }, '系统出了点问题']
]) {
  test('a failure is told in plain words and can be tried again: ' + expected, async () => {
    phone.answers = { 'GET /items': reason, 'GET /published-pages': { items: [] } }
    const page = await open('home')
    const before = words(page, '.state-words')
    phone.answers['GET /items'] = { items: [] }

    await tap(page, '.again')

    assert.match(before[0], new RegExp(expected))
    assert.deepEqual(words(page, '.state-words'), [])
    assert.equal(words(page, '.empty')[0], '还没有事项')
  })
}

test('what one looks for is sent whole and found things open', async () => {
  phone.answers = {
    'GET /items': { items: [{ id: '7', name: '身份证', body_name: '厅', region_name: '广东省', summary: '', online: true }], next_after: null },
    'GET /published-pages': { items: [], next_cursor: null }
  }
  const page = await open('search')

  await enter(page, '.words', ' 身份证&a=1 ')
  await tap(page, '.go')

  assert.match(phone.requests[0].url, /q=%E8%BA%AB%E4%BB%BD%E8%AF%81%26a%3D1&limit=20$/)
  assert.match(words(page, '.item')[0], /可在线办理/)
})

test('an empty search asks nothing', async () => {
  const page = await open('search')

  await enter(page, '.words', '   ')
  await tap(page, '.go')

  assert.equal(phone.requests.length, 0)
})

test('a guide tells limit, fee, materials and leads on', async () => {
  phone.answers = { 'GET /items/7': ITEM }

  const page = await open('item', { id: '7' })
  await tap(page, '.apply')
  await tap(page, '.open-page')
  await tap(page, '.call')

  assert.equal(words(page, '.limit')[0], '承诺时限：15 个工作日')
  assert.deepEqual(words(page, '.fee'), ['工本费：40.00 元'])
  assert.deepEqual(phone.went, ['/pages/apply/apply?id=7', '/pages/web/web?page=9'])
  assert.deepEqual(phone.calls, ['12345'])
})

test('a scanned code names the item in its scene', async () => {
  phone.answers = { 'GET /items/7': ITEM }

  const page = await open('item', { scene: encodeURIComponent('item=7&d=desk') })

  assert.equal(words(page, '.name')[0], '居民身份证补领')
})

test('an item that cannot be is not asked for', async () => {
  const page = await open('item', { id: '../my' })

  assert.equal(phone.requests.length, 0)
  assert.equal(words(page, '.state-words')[0], '没有找到这个事项')
})

test('signing in trades a code for a token that later calls carry', async () => {
  phone.answers = { 'POST /sign-in/mini': { status: 201, data: OPENED }, 'GET /my/messages': { items: [], unread_count: 0, next_cursor: null } }
  const page = await open('sign-in')

  await tap(page, '.sign-in')
  await open('messages')

  assert.deepEqual(JSON.parse(phone.requests[0].body), { account: config.account, code: 'a-code' })
  assert.equal(phone.requests[0].headers.Authorization, undefined)
  assert.equal(phone.requests[1].headers.Authorization, 'Bearer r_secret')
  assert.deepEqual(phone.went, ['back'])
})

test('a sign-in that the platform does not help with says so', async () => {
  phone.loginCode = () => Promise.reject(new Error('no'))
  const page = await open('sign-in')

  await tap(page, '.sign-in')

  assert.match(words(page, '.state-words')[0], new RegExp(platform.NAME + '登录没有成功'))
})

test('a token that ran out is forgotten and leads to signing in', async () => {
  phone.storage.session = { token: 'r_old', expires_at: '2999-01-01T00:00:00Z' }
  phone.answers = { 'GET /my/messages': { status: 401, data: { title: '请先登录', code: 'not_signed_in' } } }

  const page = await open('messages')
  await tap(page, '.sign-in')

  assert.equal(phone.storage.session, undefined)
  assert.deepEqual(phone.went, ['/pages/sign-in/sign-in'])
})

test('messages are read one by one', async () => {
  phone.storage.session = { token: 'r_1', expires_at: '2999-01-01T00:00:00Z' }
  phone.answers = {
    'GET /my/messages': { items: [{ id: '3', title: '已受理', body: '您的申请', created_at: '2026-11-22T04:05:00Z', is_read: false, link: '/me/applications/5' }], unread_count: 1, next_cursor: null },
    'POST /my/messages/read': { read_count: 1, unread_count: 0 }
  }
  const page = await open('messages')
  const before = words(page, '.message')[0]

  await tap(page, '.message')

  assert.match(before, /［未读］已受理.*2026年11月22日 12:05/)
  assert.deepEqual(JSON.parse(phone.requests[1].body), { ids: ['3'] })
  assert.doesNotMatch(words(page, '.message')[0], /未读/)
  assert.deepEqual(phone.went, ['/pages/case/case?id=5'])
})

const CASE = { id: '5', version: 1, item_id: '7', item_name: '居民身份证补领', form: ITEM.form, answers: {}, materials: {} }

async function applying (more) {
  phone.storage.session = { token: 'r_1', expires_at: '2999-01-01T00:00:00Z' }
  phone.answers = Object.assign({
    'POST /my/applications': { status: 201, data: { id: '5', continued: false, open_number: '' } },
    'GET /my/applications/5': CASE,
    'GET /items/7': ITEM
  }, more)
  return open('apply', { id: '7' })
}

test('a question appears and vanishes with the answer it depends on', async () => {
  const page = await applying()
  const labels = () => words(page, '.label').map(one => one.replace('（必填）', '')).filter(one => !one.includes('必交'))
  const first = labels()

  await enter(page, '.choice', 'home', 'change')
  const home = labels()
  await enter(page, '.choice', 'work', 'change')

  assert.deepEqual(first, ['姓名', '理由', '内容属实'])
  assert.deepEqual(home, ['姓名', '理由', '房间数', '内容属实'])
  assert.deepEqual(labels(), ['姓名', '理由', '单位', '内容属实'])
})

const LISTS = {
  schema: {
    required: [],
    properties: {
      town: { type: 'string', oneOf: [{ const: 'a', title: '甲镇' }, { const: 'b', title: '乙镇' }] },
      needs: { type: 'array', items: { oneOf: [{ const: 'x', title: '邮寄' }, { const: 'y', title: '短信' }] } },
      why: { type: 'string', maxLength: 300 }
    }
  },
  sections: [{ title: '情况', fields: ['town', 'needs', 'why'] }],
  fields: { town: { label: '镇', widget: 'select' }, needs: { label: '需要' }, why: { label: '原因', widget: 'text' } }
}

test('one of a long list, several of a short one and a long text are answered', async () => {
  const page = await applying({
    'GET /my/applications/5': Object.assign({}, CASE, { form: LISTS }),
    'POST /my/applications/5/answers': { version: 2, cleared: [], problems: {}, item_changed: false }
  })
  const before = words(page, '.select')

  await enter(page, '.select', '1', 'change')
  await enter(page, '.choices', ['x', 'y'], 'change')
  await enter(page, '.written', ' 搬家 ', 'blur')
  await tap(page, '.save')

  assert.equal(words(page, '.written').length, 1)
  assert.deepEqual([before, words(page, '.select')], [['请选择'], ['乙镇']])
  assert.deepEqual(JSON.parse(phone.requests.at(-1).body).answers, { town: 'b', needs: ['x', 'y'], why: '搬家' })
})

test('what is missing is shown before anything is sent', async () => {
  const page = await applying()
  const asked = phone.requests.length

  await tap(page, '.submit')

  assert.equal(phone.requests.length, asked)
  assert.deepEqual(words(page, '.problem'), ['请填写这一项', '请填写这一项', '请填写这一项'])
})

async function filled (page) {
  await enter(page, '.written', '测试一', 'blur')
  await enter(page, '.choice', 'work', 'change')
  await enter(page, '.written', '示例工厂', 'blur', 1)
  await enter(page, '.yes', ['yes'], 'change')
  await enter(page, '.way', 'paper', 'change')
}

test('what was filled in is saved and submitted under one key, however often it is tried', async () => {
  const page = await applying({
    'POST /my/applications/5/answers': { version: 2, cleared: [], problems: {}, item_changed: false },
    'POST /my/applications/5/submit': { lost: 'timeout' }
  })
  config.templates = ['t1', 't2']
  await filled(page)
  await tap(page, '.submit')
  const lost = words(page, '.state-words')[0]
  phone.answers['POST /my/applications/5/submit'] = { number: '440000-1' }
  phone.answers['GET /my/applications/5'] = Object.assign({}, CASE, { query_code: '123456' })

  page.setData({ state: 'ready' })
  await tap(page, '.submit')

  const submits = phone.requests.filter(one => one.url.endsWith('/submit'))
  const first = JSON.parse(phone.requests.find(one => one.url.endsWith('/answers')).body)
  assert.match(lost, /等了太久/)
  assert.deepEqual(first.answers, { name: '测试一', ground: 'work', employer: '示例工厂', truthful: true })
  assert.deepEqual(first.materials, { m1: 'paper' })
  assert.equal(new Set(submits.map(one => one.headers['Idempotency-Key'])).size, 1)
  assert.equal(submits.length, 2)
  assert.deepEqual(phone.consents[0], ['t1', 't2'])
  assert.deepEqual([words(page, '.number')[0], words(page, '.query-code')[0]], ['办件编号：440000-1', '查询码：123456'])
})

test('a starred answer that was not touched is not sent back', async () => {
  const page = await applying({
    'GET /my/applications/5': Object.assign({}, CASE, { answers: { name: '测**', ground: 'home' } }),
    'POST /my/applications/5/answers': { version: 2, cleared: [], problems: {}, item_changed: false }
  })

  await enter(page, '.written', '3', 'blur', 1)
  await tap(page, '.save')

  assert.deepEqual(JSON.parse(phone.requests.at(-1).body).answers, { rooms: 3 })
  assert.equal(words(page, '.notice')[0], '已保存，可以以后接着填')
})

test('what the hall finds wrong stands beside its question', async () => {
  const page = await applying({
    'POST /my/applications/5/answers': { version: 2, cleared: [], problems: { name: ['姓名里有不允许的字'] }, item_changed: false }
  })
  await filled(page)

  await tap(page, '.submit')

  assert.deepEqual(words(page, '.problem'), ['姓名里有不允许的字'])
  assert.equal(phone.requests.filter(one => one.url.endsWith('/submit')).length, 0)
})

const HANDED = Object.assign({}, CASE, {
  version: 4, number: '440000-1', query_code: '123456', body_name: '公安厅', state_label: '等待补正', due_on: '2026-12-01', reason: '', remedy: '', result: null,
  answers: { name: '测**', ground: 'work', employer: '示例工厂' },
  events: [{ at: '2026-11-22T04:05:00Z', label: '告知补正', text: '单位名称不全' }],
  supplements: [{ items: [{ text: '单位写全称', field: 'employer' }, { text: '户口簿', material: 'm1' }], due_on: '2026-12-01', supplied_at: null }],
  may: ['supply', 'withdraw']
})

async function supplying (more) {
  phone.storage.session = { token: 'r_1', expires_at: '2999-01-01T00:00:00Z' }
  phone.answers = Object.assign({ 'GET /my/applications/5': HANDED, 'GET /items/7': ITEM }, more)
  return open('case', { id: '5' })
}

test('what a department asks for is asked for, and nothing else is sent', async () => {
  const page = await supplying({ 'POST /my/applications/5/supplements': { number: '440000-1', version: 5 } })
  const asked = words(page, '.label')
  await enter(page, '.written', '示例工厂有限公司', 'blur')
  await enter(page, '.way', 'promise', 'change')
  await enter(page, '.statement', ' 已改正 ', 'blur')

  await tap(page, '.supply')

  const sent = phone.requests.find(one => one.url.endsWith('/supplements'))
  assert.deepEqual(asked.map(one => one.replace(/（.*/, '')).sort(), ['单位', '户口簿', '补充说明'].sort())
  assert.deepEqual(JSON.parse(sent.body), {
    version: 4, answers: { employer: '示例工厂有限公司' }, materials: { m1: 'promise' }, statement: '已改正'
  })
  assert.ok(sent.headers['Idempotency-Key'])
})

test('what is wrong with a supplement stands beside its question, and the words stay', async () => {
  const refused = { status: 422, data: { title: '填写有误', code: 'invalid', errors: { employer: ['不能超过 30 个字'] } } }
  const page = await supplying({ 'POST /my/applications/5/supplements': refused })
  await enter(page, '.written', '长名字', 'blur')

  await tap(page, '.supply')

  assert.deepEqual(words(page, '.problem'), ['填写有误', '不能超过 30 个字'])
  assert.equal(page.data.sections[0].fields[0].answer, '长名字')
})

for (const agrees of [true, false]) {
  test('an application is withdrawn only by who says yes: ' + agrees, async () => {
    const page = await supplying({ 'POST /my/applications/5/withdraw': HANDED })
    phone.agrees = agrees

    await tap(page, '.withdraw')

    assert.equal(phone.requests.filter(one => one.url.endsWith('/withdraw')).length, agrees ? 1 : 0)
  })
}

test('progress is told for number and query code, without signing in', async () => {
  phone.answers = {
    'GET /progress': {
      number: '440000-1', item_name: '居住证申领', body_name: '公安厅', state_label: '正在办理', steps: [{ number: 1, label: '提交', at: '2026-11-22T04:05:00Z' }]
    }
  }
  const page = await open('progress')

  await enter(page, '.number', ' 440000-1 ')
  await enter(page, '.code', '123456')
  await tap(page, '.query')

  assert.match(phone.requests[0].url, /number=440000-1&query_code=123456$/)
  assert.equal(words(page, '.found')[0], '居住证申领：正在办理')
  assert.deepEqual(words(page, '.step'), ['2026年11月22日 12:05 提交'])
})

test('a published page opens by the hall, or with a ticket when signed in', async () => {
  config.webOrigins = [config.base, 'https://hz.example.cn']
  const stranger = await open('web', { page: '9' })
  phone.storage.session = { token: 'r_1', expires_at: '2999-01-01T00:00:00Z' }
  phone.answers = { 'POST /my/sso-tickets': { status: 201, data: { url: 'https://hz.example.cn/m/?ticket=t', expires_in: 60 } } }

  const known = await open('web', { page: '9' })

  assert.equal(stranger.data.url, config.base + '/go/9?channel=' + platform.KIND)
  assert.equal(known.data.url, 'https://hz.example.cn/m/?ticket=t')
})

for (const url of [
  'https://evil.cn/', 'https://hall.example.cn.evil.cn/', 'https://hall.example.cn@evil.cn/', 'javascript:alert(1)',
  'http://hall.example.cn/', 'https://hall.example.cn:444/', '//hall.example.cn/', ''
]) {
  test('a page that is not on the list is not opened: ' + url, async () => {
    const page = await open('web', { url: encodeURIComponent(url) })

    assert.equal(page.data.url, '')
    assert.match(words(page, '.refused')[0], /不能在小程序里打开/)
  })
}

for (const [path, expected] of [
  ['/me/applications/5?from=notice', '/pages/case/case?id=5'],
  ['/items/7', '/pages/item/item?id=7'],
  ['/apply/7', '/pages/apply/apply?id=7'],
  ['/me/applications', '/pages/progress/progress'],
  ['/me/messages', '/pages/messages/messages'],
  ['', '/pages/home/home']
]) {
  test('a page of the hall that the mini program has itself is opened there: ' + path, async () => {
    const page = await open('web', { url: encodeURIComponent(config.base + path) })

    assert.deepEqual(phone.went, [expected])
    assert.equal(page.data.url, '')
  })
}

for (const path of ['/me/applications/5/files', '/items/x', '/me/applications/1e9']) {
  test('any other page of the hall is shown as it is: ' + path, async () => {
    const page = await open('web', { url: encodeURIComponent(config.base + path) })

    assert.deepEqual(phone.went, [])
    assert.equal(page.data.url, config.base + path)
  })
}

test('an address coded wrongly opens nothing', async () => {
  const web = await open('web', { url: '%E0%A4%A' })
  const item = await open('item', { scene: '%' })

  assert.equal(web.data.url, '')
  assert.equal(words(item, '.state-words')[0], '没有找到这个事项')
})

test('the large letters stay for every page', async () => {
  const my = await open('my')

  await enter(my, '.large-switch', true, 'change')
  const home = await open('search')

  assert.equal(my.data.large, true)
  assert.equal(home.data.large, true)
})

test('signing out works without a network', async () => {
  phone.storage.session = { token: 'r_1', expires_at: '2999-01-01T00:00:00Z' }
  phone.answers = {
    'GET /my': { level: 1, phone: '', created_at: '', bindings: [] },
    'GET /my/sessions': [{ id: '4', client: platform.KIND, used_at: '2026-11-22T04:05:00Z', current: true }],
    'DELETE /my/sessions/4': { lost: 'offline' }
  }
  const page = await open('my')

  await tap(page, '.sign-out')

  assert.equal(phone.storage.session, undefined)
  assert.deepEqual(words(page, '.to-sign-in'), ['去登录'])
})

const UPLOAD = [{ code: 'm1', name: '户口簿', note: '', required: true, handings: ['paper', 'upload'] }]
const SENT_PHOTO = request => ({ status: 201, data: { id: request.body, material: 'm1', sent: false } })

async function uploading (more) {
  const page = await applying(Object.assign({
    'GET /my/applications/5': Object.assign({}, CASE, { needed: UPLOAD, files: [], variant: '' }),
    'POST /my/applications/5/answers': { version: 2, cleared: [], problems: {}, item_changed: false },
    'POST /my/applications/5/files': SENT_PHOTO
  }, more))
  await enter(page, '.way', 'upload', 'change')
  return page
}

test('photos of a material are sent one by one, each under a key of its own', async () => {
  const page = await uploading()
  phone.photos = ['a.jpg', 'b.jpg']

  await tap(page, '.add')
  await until(() => page.data.notice)
  const sent = phone.requests.filter(one => one.url.includes('/files?'))

  assert.deepEqual(sent.map(one => one.body), ['a.jpg', 'b.jpg'])
  assert.equal(new Set(sent.map(one => one.url)).size, 2)
  assert.ok(sent.every(one => one.url.includes('material=m1&key=mini-')))
  assert.deepEqual(words(page, '.count'), ['已传 2 张'])
})

test('a photo that is refused is told on the form, and nothing typed is lost', async () => {
  const page = await uploading({
    'POST /my/applications/5/files': { status: 422, data: { code: 'file_damaged', title: '文件打不开或不完整，请重新拍照或重新选择' } }
  })
  await enter(page, '.choice', 'home', 'change')
  phone.photos = ['a.jpg']

  await tap(page, '.add')
  await until(() => page.data.notice)

  assert.deepEqual(words(page, '.notice'), ['文件打不开或不完整，请重新拍照或重新选择'])
  assert.deepEqual(JSON.parse(phone.requests.filter(one => one.url.endsWith('/answers'))[0].body).answers, { ground: 'home' })
  assert.deepEqual(words(page, '.count'), [])
})

test('who chooses no photo sends nothing', async () => {
  const page = await uploading()

  await tap(page, '.add')

  assert.equal(phone.requests.filter(one => one.url.includes('/files?')).length, 0)
})
