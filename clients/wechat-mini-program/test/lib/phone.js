// 一部假手机：窗口、存储、wx 的接口；页面由 miniprogram-simulate 渲染。
const path = require('node:path')
const { JSDOM } = require('jsdom')
const { phone, reset, answerTo, settled, until } = require('../../../shared/test/lib/network')

const ROOT = path.join(__dirname, '..', '..')
const dom = new JSDOM('<!doctype html><html lang="zh-CN"><body></body></html>', { pretendToBeVisual: true })
for (const name of ['window', 'document', 'HTMLElement', 'Element', 'Node', 'CustomEvent', 'Event', 'TouchEvent', 'MutationObserver']) {
  if (global[name] === undefined || ['Event', 'CustomEvent'].includes(name)) global[name] = name === 'window' ? dom.window : dom.window[name]
}

global.wx = {
  request (asked) {
    const request = { url: asked.url, method: asked.method, headers: asked.header, body: asked.data, timeoutMs: asked.timeout }
    answerTo(request).then(answer => {
      if (answer.lost) asked.fail({ errMsg: answer.lost === 'timeout' ? 'request:fail timeout' : 'request:fail ' })
      else asked.success({ statusCode: answer.status, data: answer.data })
    })
  },
  uploadFile (asked) {
    const request = { url: asked.url, method: 'POST', headers: asked.header, body: asked.filePath, timeoutMs: asked.timeout }
    answerTo(request).then(answer => {
      if (answer.lost) asked.fail({ errMsg: 'uploadFile:fail ' + answer.lost })
      else asked.success({ statusCode: answer.status, data: JSON.stringify(answer.data) })
    })
  },
  chooseMedia (asked) {
    if (phone.photos.length) asked.success({ tempFiles: phone.photos.map(one => ({ tempFilePath: one })) })
    else asked.fail({ errMsg: 'chooseMedia:fail cancel' })
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

module.exports = { phone, open, words, tap, enter, reset, settled, until, ROOT, MARKUP: 'wxml' }
