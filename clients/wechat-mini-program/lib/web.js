// 只打开登记过的网站：地址的协议、主机和端口须与名单上的完全一致。
const config = require('../config')
const platform = require('./platform')

function originOf (url) {
  const found = /^(https?:\/\/[A-Za-z0-9.-]+(?::[0-9]{1,5})?)(?:[/?#]|$)/.exec(url)
  return found ? found[1].toLowerCase() : ''
}

function allowed (url) {
  const origin = originOf(url)
  return origin !== '' && config.webOrigins.map(one => one.toLowerCase()).indexOf(origin) >= 0
}

// 页面参数是编过码的；编错了的当作没有。带票据的也当作没有：票据只从大厅来，别人给的会让人冒用别人的身份办事。
function decoded (text) {
  try {
    const url = decodeURIComponent(text || '')
    return /[?&]hall_ticket=/.test(url) ? '' : url
  } catch (error) {
    return ''
  }
}

// 部门网页的入口在大厅：网页停用时大厅会说明。
function entry (pageId) {
  return config.base + '/go/' + encodeURIComponent(pageId) + '?channel=' + platform.KIND
}

module.exports = { originOf, allowed, decoded, entry }
