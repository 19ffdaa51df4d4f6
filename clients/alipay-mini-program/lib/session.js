// 登录凭证只存在手机本地，过期即弃。
const platform = require('./platform')

const KEY = 'session'

function kept () {
  const value = platform.read(KEY)
  return value && typeof value === 'object' ? value : {}
}

module.exports = {
  token () {
    const { token, expires_at: ends } = kept()
    return token && Date.parse(ends) > Date.now() ? token : ''
  },
  keep (opened) {
    platform.keep(KEY, { token: opened.token, expires_at: opened.expires_at })
  },
  forget () {
    platform.forget(KEY)
  }
}
