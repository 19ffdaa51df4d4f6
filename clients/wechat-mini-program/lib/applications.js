// 办件接口都在这里，页面不直接拼地址。
const api = require('./api')

// 申办渠道代码：微信。
const CHANNEL = '3'

function at (id) {
  return '/my/applications/' + id
}

module.exports = {
  start: (itemId, key) => api.post('/my/applications', { item_id: itemId, channel: CHANNEL }, { 'Idempotency-Key': key }),
  read: id => api.get(at(id)),
  // 小程序的网络接口没有 PATCH，所以另有一个 POST 地址。
  save: (id, version, answers, materials) => api.post(at(id) + '/answers', { version, answers, materials }),
  submit: (id, version, key) => api.post(at(id) + '/submit', { version }, { 'Idempotency-Key': key }),
  withdraw: (id, version) => api.post(at(id) + '/withdraw', { version }),
  mine: cursor => api.get('/my/applications', { cursor }),
  progress: (number, queryCode) => api.get('/progress', { number, query_code: queryCode })
}
