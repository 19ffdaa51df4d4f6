// 登录：向手机上的平台要一个一次性 code，交给大厅换登录凭证。手机上不保存任何密码。
const api = require('./api')
const config = require('../config')
const platform = require('./platform')
const session = require('./session')

function code () {
  return platform.authCode(config.timeoutMs).then(
    given => {
      if (!given) throw api.failure('fault', platform.NAME + '没有给出登录凭据，请重试')
      return given
    },
    () => { throw api.failure('offline', platform.NAME + '登录没有成功，请检查网络后重试') }
  )
}

module.exports = function signIn () {
  return code()
    .then(one => api.post('/sign-in/mini', { account: config.account, code: one }))
    .then(opened => { session.keep(opened) })
}
