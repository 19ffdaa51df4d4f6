// 一部假手机：页面、组件、my 的接口；页面按 AXML 画成节点。
const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { drawer } = require('./axml')
const { phone, reset, answerTo, settled, until } = require('../../../shared/test/lib/network')

const ROOT = path.join(__dirname, '..', '..')
const APP = JSON.parse(fs.readFileSync(path.join(ROOT, 'app.json'), 'utf8'))
const TABS = APP.tabBar.items.map(one => one.pagePath)

const defined = {}
let loading = ''
let app = null
global.Page = definition => { defined[loading] = definition }
global.Component = definition => { defined[loading] = definition }
global.App = definition => { app = definition }
global.getApp = () => app
global.getCurrentPages = () => new Array(phone.depth)

// 页面或组件的定义，同一个只读一次。
function definitionOf (base) {
  if (!defined[base]) {
    loading = base
    require(base)
    assert.ok(defined[base], base + ' defines nothing')
  }
  return defined[base]
}

// 只能去 app.json 里的页面；标签页只能用 switchTab。
function went (url, tab) {
  const page = /^\/([a-z/-]+)(?:\?|$)/.exec(url)[1]
  assert.ok(APP.pages.includes(page), 'no page ' + url)
  assert.equal(TABS.includes(page), tab, url)
  phone.went.push(url)
}

// 只有 200 算成功，其余的回答都从 fail 来；要文字就给文字。
function request (asked) {
  assert.equal(asked.dataType, 'text')
  const sent = { url: asked.url, method: asked.method, headers: shown(asked.headers), body: asked.data, timeoutMs: asked.timeout }
  answerTo(sent).then(answer => {
    if (answer.lost) return asked.fail({ error: answer.lost === 'timeout' ? 13 : 12, errorMessage: answer.lost })
    const data = typeof answer.data === 'object' ? JSON.stringify(answer.data) : answer.data
    if (answer.status === 200) asked.success({ status: 200, data, headers: {} })
    else asked.fail({ error: 19, errorMessage: 'http status error', status: answer.status, data, headers: {} })
  })
}

// 小写的头，写成测试里看的样子。
function shown (headers) {
  const found = {}
  for (const name of Object.keys(headers)) {
    assert.equal(name, name.toLowerCase())
    found[name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase())] = headers[name]
  }
  return found
}

global.my = {
  request,
  uploadFile (asked) {
    const sent = { url: asked.url, method: 'POST', headers: asked.header, body: asked.filePath, timeoutMs: asked.timeout }
    answerTo(sent).then(answer => {
      if (answer.lost) asked.fail({ error: answer.lost === 'timeout' ? 13 : 12 })
      else if (answer.status === 200) asked.success({ statusCode: 200, data: JSON.stringify(answer.data) })
      else asked.fail({ error: 19, statusCode: answer.status, data: JSON.stringify(answer.data) })
    })
  },
  chooseImage (asked) {
    if (phone.photos.length) asked.success({ tempFilePaths: phone.photos })
    else asked.fail({ error: 11 })
  },
  getAuthCode (asked) {
    assert.equal(asked.scopes, 'auth_base')
    phone.loginCode().then(code => asked.success({ authCode: code }), () => asked.fail({ error: 11 }))
  },
  getPhoneNumber (asked) {
    if (phone.phoneCode) asked.success({ response: phone.phoneCode })
    else asked.fail({ error: 40003 })
  },
  getStorageSync: ({ key }) => ({ data: phone.storage[key] === undefined ? null : phone.storage[key] }),
  setStorageSync: ({ key, data }) => { phone.storage[key] = data },
  removeStorageSync: ({ key }) => { delete phone.storage[key] },
  navigateTo: ({ url }) => went(url, false),
  redirectTo: ({ url }) => went(url, false),
  switchTab: ({ url }) => went(url, true),
  navigateBack: () => { phone.went.push('back') },
  setClipboard: ({ text }) => { phone.copied.push(text) },
  makePhoneCall: ({ number }) => { phone.calls.push(number) },
  confirm: asked => asked.success({ confirm: phone.agrees }),
  datePicker: asked => { if (phone.day) asked.success({ date: phone.day }) },
  requestSubscribeMessage (asked) {
    phone.consents.push(asked.entityIds)
    asked.complete({})
  }
}

require('../../app.js')

function componentAt (base) {
  const draw = drawer(base, componentAt)
  return given => {
    const definition = definitionOf(base)
    for (const name of Object.keys(given)) assert.ok(/^on[A-Z]/.test(name) || name in definition.props, 'no property ' + name)
    const made = Object.assign({ props: Object.assign({}, definition.props, given), data: definition.data || {} }, definition.methods)
    return draw(Object.assign({}, made.data, made.props), made)
  }
}

// 打开一页，等它第一次加载完。
async function open (name, query, visible = true) {
  const base = path.join(ROOT, 'pages', name, name)
  const definition = definitionOf(base)
  const instance = Object.assign({}, definition, {
    data: structuredClone(definition.data),
    // 数据过桥时变成 JSON。
    setData (told) { Object.assign(this.data, JSON.parse(JSON.stringify(told))) }
  })
  const draw = drawer(base, componentAt)
  const page = { instance, get data () { return instance.data }, setData: told => instance.setData(told), draw: () => draw(instance.data, instance) }
  if (instance.onLoad) await instance.onLoad(query || {})
  if (visible && instance.onShow) await instance.onShow()
  await settled()
  return page
}

function flat (nodes) {
  return nodes.flatMap(node => node.text === undefined ? [node, ...flat(node.children)] : [])
}

function all (page, selector) {
  return flat(page.draw()).filter(node => String(node.attributes.class || '').split(/\s+/).includes(selector.slice(1)))
}

function textOf (node) {
  return node.text === undefined ? node.children.map(textOf).join('') : node.text
}

function words (page, selector) {
  return all(page, selector).map(node => textOf(node).trim().replace(/\s+/g, ' '))
}

function datasetOf (node) {
  const found = {}
  for (const name of Object.keys(node.attributes)) {
    if (name.startsWith('data-')) found[name.slice(5).replace(/-([a-z])/g, (all, letter) => letter.toUpperCase())] = node.attributes[name]
  }
  return found
}

async function fire (page, selector, event, detail, index) {
  const node = all(page, selector)[index]
  assert.ok(node, 'no ' + selector + ' on the page')
  const heard = node.attributes['on' + event[0].toUpperCase() + event.slice(1)]
  assert.ok(heard, selector + ' does not hear ' + event)
  const target = { dataset: datasetOf(node) }
  heard({ type: event, detail, target, currentTarget: target })
  await settled()
}

const tap = (page, selector, index = 0) => fire(page, selector, 'tap', {}, index)
const enter = (page, selector, value, event = 'input', index = 0) => fire(page, selector, event, { value }, index)

module.exports = { phone, open, words, tap, enter, fire, reset, settled, until, definitionOf, ROOT, APP, MARKUP: 'axml' }
