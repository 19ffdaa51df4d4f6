// 与大厅接口通信：超时、断网、登录过期和业务错误各有一句居民看得懂的话。
const config = require('../config')
const platform = require('./platform')
const session = require('./session')

const WORDS = {
  offline: '网络不通，请检查网络后重试',
  portal: '没有连上大厅，所在的无线网络可能要先登录',
  timeout: '等了太久没有回应，请稍后重试',
  signed_out: '请先登录',
  busy: '现在使用的人太多，请稍后再试',
  fault: '系统出了点问题，请稍后再试'
}

// 出错时的样子：kind 供程序判断，words 给人看，fields 是逐项的填写错误。
function failure (kind, words, more) {
  return Object.assign({ kind, words: words || WORDS[kind], fields: {} }, more)
}

function isJson (data) {
  return data !== null && typeof data === 'object'
}

function refused (answer) {
  const told = isJson(answer.data) ? answer.data : {}
  // detail 说得更具体，没有时用 title。
  const words = told.detail || told.title
  const more = { status: answer.status, code: told.code || '', fields: told.errors || {} }
  if (answer.status === 401) return failure('signed_out', '', more)
  if (answer.status === 429 || answer.status === 503) return failure('busy', words, more)
  if (answer.status >= 400 && answer.status < 500) return failure('refused', words || WORDS.fault, more)
  return failure('fault', '', more)
}

function headersWith (token, more) {
  const sent = Object.assign({ Accept: 'application/json' }, more)
  if (token) sent.Authorization = 'Bearer ' + token
  return sent
}

function ask (method, path, body, headers) {
  const token = session.token()
  const sent = headersWith(token, headers)
  if (body !== undefined) sent['Content-Type'] = 'application/json'
  const asked = {
    url: config.base + '/api/v1' + path,
    method,
    headers: sent,
    body: body === undefined ? undefined : JSON.stringify(body),
    timeoutMs: config.timeoutMs
  }
  return answered(platform.request(asked), token)
}

// 传一个文件；照片在慢的网络上要久一些。
function upload (path, file) {
  const token = session.token()
  const asked = { url: config.base + '/api/v1' + path, headers: headersWith(token), file, timeoutMs: 60000 }
  return answered(platform.upload(asked), token)
}

function answered (asking, token) {
  return asking.then(
    answer => {
      const good = answer.status >= 200 && answer.status < 300
      if (good && (answer.status === 204 || isJson(answer.data))) return answer.data
      // 公共无线网的登录页也会答 200。
      if (good) throw failure('offline', WORDS.portal)
      const error = refused(answer)
      // 过期的登录留着没有用，下一次从登录开始。
      if (error.kind === 'signed_out' && session.token() === token) session.forget()
      throw error
    },
    reason => { throw failure(reason.timedOut ? 'timeout' : 'offline') }
  )
}

function query (params) {
  const parts = Object.keys(params)
    .filter(name => params[name] !== undefined && params[name] !== null && params[name] !== '')
    .map(name => name + '=' + encodeURIComponent(params[name]))
  return parts.length ? '?' + parts.join('&') : ''
}

module.exports = {
  get: (path, params) => ask('GET', path + query(params || {})),
  post: (path, body, headers) => ask('POST', path, body, headers),
  put: (path, body, headers) => ask('PUT', path, body, headers),
  remove: path => ask('DELETE', path),
  upload,
  failure
}
