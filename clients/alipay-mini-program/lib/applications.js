// 办件接口都在这里，页面不直接拼地址。
const api = require('./api')
const platform = require('./platform')

function at (id) {
  return '/my/applications/' + id
}

// 同一次提交重试时用同一个键，大厅只收一份。
function newKey () {
  return 'mini-' + Date.now().toString(36) + '-' + Math.random().toString(36).slice(2, 12)
}

module.exports = {
  newKey,
  start: (itemId, key) => api.post('/my/applications', { item_id: itemId, channel: platform.CASE_CHANNEL }, { 'Idempotency-Key': key }),
  read: id => api.get(at(id)),
  // 小程序的网络接口没有 PATCH，所以另有一个 POST 地址。
  save: (id, version, answers, materials) => api.post(at(id) + '/answers', { version, answers, materials }),
  submit: (id, version, key) => api.post(at(id) + '/submit', { version }, { 'Idempotency-Key': key }),
  withdraw: (id, version) => api.post(at(id) + '/withdraw', { version }),
  supply: (id, version, told, key) => api.post(at(id) + '/supplements', Object.assign({ version }, told), { 'Idempotency-Key': key }),
  mine: cursor => api.get('/my/applications', { cursor }),
  progress: (number, queryCode) => api.get('/progress', { number, query_code: queryCode })
}
