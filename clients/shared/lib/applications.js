// 办件接口都在这里，页面不直接拼地址。
const api = require('./api')
const platform = require('./platform')

const PHOTOS_AT_ONCE = 9

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
  save: (id, version, answers, materials, variant) => api.post(at(id) + '/answers', { version, answers, materials, variant }),
  // 选照片，一张一张传；断了再选再传，大厅认得同样的内容，只收一份。
  addPhotos: (id, material) => platform.choosePhotos(PHOTOS_AT_ONCE).then(photos => photos.reduce(
    (before, photo) => before.then(sent => api.upload(
      at(id) + '/files?material=' + encodeURIComponent(material) + '&key=' + newKey(), photo
    ).then(file => sent.concat(file))),
    Promise.resolve([])
  )),
  submit: (id, version, key) => api.post(at(id) + '/submit', { version }, { 'Idempotency-Key': key }),
  withdraw: (id, version) => api.post(at(id) + '/withdraw', { version }),
  supply: (id, version, told, key) => api.post(at(id) + '/supplements', Object.assign({ version }, told), { 'Idempotency-Key': key }),
  mine: cursor => api.get('/my/applications', { cursor }),
  progress: (number, queryCode) => api.get('/progress', { number, query_code: queryCode })
}
