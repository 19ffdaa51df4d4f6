// 一部假手机：窗口、存储、wx 的接口；网络可以是脚本，也可以是真的大厅。
const path = require('node:path')
const { JSDOM } = require('jsdom')

const ROOT = path.join(__dirname, '..', '..')
const dom = new JSDOM('<!doctype html><html lang="zh-CN"><body></body></html>', { pretendToBeVisual: true })
for (const name of ['window', 'document', 'HTMLElement', 'Element', 'Node', 'CustomEvent', 'Event', 'TouchEvent', 'MutationObserver']) {
  if (global[name] === undefined || ['Event', 'CustomEvent'].includes(name)) global[name] = name === 'window' ? dom.window : dom.window[name]
}

const phone = {
  storage: {}, requests: [], went: [], copied: [], calls: [], consents: [], agrees: true, answers: null, loginCode: () => Promise.resolve('a-code')
}

// 脚本：answers 按“方法 路径”给出回答，函数收到请求。
function scripted (request) {
  const place = request.url.split('/api/v1')[1].split('?')[0]
  const answer = phone.answers[request.method + ' ' + place]
  if (answer === undefined) return { statusCode: 404, data: { title: '没有找到', code: 'not_found' } }
  const told = typeof answer === 'function' ? answer(request) : answer
  return told.statusCode || told.errMsg ? told : { statusCode: 200, data: told }
}

async function real (request) {
  try {
    const answer = await fetch(request.url, {
      method: request.method, headers: request.header, body: request.data, signal: AbortSignal.timeout(request.timeout)
    })
    const text = await answer.text()
    return { statusCode: answer.status, data: text ? JSON.parse(text) : '' }
  } catch (error) {
    return { errMsg: 'request:fail ' + (error.name === 'TimeoutError' ? 'timeout' : error.message) }
  }
}

global.wx = {
  request (request) {
    phone.requests.push(request)
    Promise.resolve(phone.answers ? scripted(request) : real(request)).then(answer => {
      if (answer.errMsg) request.fail(answer)
      else request.success(answer)
    })
  },
  login (asked) {
    phone.loginCode().then(code => asked.success({ code }), () => asked.fail({ errMsg: 'login:fail' }))
  },
  getStorageSync: key => phone.storage[key] === undefined ? '' : phone.storage[key],
  setStorageSync: (key, value) => { phone.storage[key] = value },
  removeStorageSync: key => { delete phone.storage[key] },
  navigateTo: place => { phone.went.push(place.url) },
  redirectTo: place => { phone.went.push(place.url) },
  switchTab: place => { phone.went.push(place.url) },
  navigateBack: () => { phone.went.push('back') },
  setClipboardData: told => { phone.copied.push(told.data) },
  makePhoneCall: told => { phone.calls.push(told.phoneNumber) },
  showModal: asked => asked.success({ confirm: phone.agrees }),
  requestSubscribeMessage (asked) {
    phone.consents.push(asked.tmplIds)
    asked.complete({})
  }
}

const simulate = require('miniprogram-simulate')
const loaded = {}

// 打开一页，等它第一次加载完。
async function open (name, query, shown = true) {
  const place = path.join(ROOT, 'pages', name, name)
  loaded[name] = loaded[name] || simulate.load(place, { rootPath: ROOT, compiler: 'simulate' })
  const page = simulate.render(loaded[name])
  page.attach(document.createElement('div'))
  if (page.instance.onLoad) await page.instance.onLoad(query || {})
  if (shown && page.instance.onShow) await page.instance.onShow()
  await settled()
  return page
}

async function settled () {
  for (let turn = 0; turn < 5; turn++) await simulate.sleep(1)
}

// 等到 found() 有结果；真的网络要一点时间。
async function until (found) {
  for (let turn = 0; turn < 500; turn++) {
    if (found()) return
    await simulate.sleep(10)
  }
  throw new Error('waited in vain for ' + found)
}

// 页面里的，加上它用到的组件里的。
function all (page, selector) {
  const inner = [...page.querySelectorAll('.status'), ...page.querySelectorAll('.part')].map(one => one.querySelectorAll(selector))
  return page.querySelectorAll(selector).concat(...inner)
}

function one (page, selector, index) {
  const found = all(page, selector)[index]
  if (!found) throw new Error('no ' + selector + ' on the page')
  return found
}

function words (page, selector) {
  return all(page, selector).map(one => one.dom.textContent.trim().replace(/\s+/g, ' '))
}

async function tap (page, selector, index = 0) {
  one(page, selector, index).dispatchEvent('tap')
  await settled()
}

async function enter (page, selector, value, event = 'input', index = 0) {
  one(page, selector, index).dispatchEvent(event, { detail: { value } })
  await settled()
}

function reset () {
  Object.assign(phone, {
    storage: {}, requests: [], went: [], copied: [], calls: [], consents: [], agrees: true, answers: {}, loginCode: () => Promise.resolve('a-code')
  })
}

module.exports = { phone, open, words, tap, enter, reset, settled, until, ROOT }
