// 登录：向微信要一个一次性 code，交给大厅换登录凭证。手机上不保存任何密码。
const api = require('./api')
const config = require('../config')
const session = require('./session')

function code () {
  return new Promise((resolve, reject) => {
    wx.login({
      timeout: config.timeoutMs,
      success: answer => answer.code ? resolve(answer.code) : reject(api.failure('fault', '微信没有给出登录凭据，请重试')),
      fail: () => reject(api.failure('offline', '微信登录没有成功，请检查网络后重试'))
    })
  })
}

module.exports = function signIn () {
  return code()
    .then(one => api.post('/sign-in/mini', { account: config.account, code: one }))
    .then(opened => { session.keep(opened) })
}
