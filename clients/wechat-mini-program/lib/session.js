// 登录凭证只存在手机本地，过期即弃。
const KEY = 'session'

function kept () {
  const value = wx.getStorageSync(KEY)
  return value && typeof value === 'object' ? value : {}
}

module.exports = {
  token () {
    const { token, expires_at: ends } = kept()
    return token && Date.parse(ends) > Date.now() ? token : ''
  },
  keep (opened) {
    wx.setStorageSync(KEY, { token: opened.token, expires_at: opened.expires_at })
  },
  forget () {
    wx.removeStorageSync(KEY)
  }
}
