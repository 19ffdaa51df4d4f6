// 大厅网页的地址，在小程序里有自己的页面时，就打开自己的页面。
const config = require('../config')
const platform = require('./platform')
const { originOf } = require('./web')

const PLACES = [
  [/^\/me\/applications\/([0-9]{1,19})$/, id => ({ url: '/pages/case/case?id=' + id })],
  [/^\/me\/applications$/, () => ({ url: '/pages/progress/progress', tab: true })],
  [/^\/apply\/([0-9]{1,19})$/, id => ({ url: '/pages/apply/apply?id=' + id })],
  [/^\/items$/, () => ({ url: '/pages/search/search' })],
  [/^\/items\/([0-9]{1,19})$/, id => ({ url: '/pages/item/item?id=' + id })],
  [/^\/me\/messages(?:\/[0-9]{1,19})?$/, () => ({ url: '/pages/messages/messages', tab: true })],
  [/^\/progress$/, () => ({ url: '/pages/progress/progress', tab: true })],
  [/^\/me$/, () => ({ url: '/pages/my/my', tab: true })],
  [/^\/$/, () => ({ url: '/pages/home/home', tab: true })]
]

// address 是大厅的完整网址，或大厅里的路径；不是大厅的、没有自己页面的，返回 null。
function placeOf (address) {
  const own = originOf(address) === originOf(config.base)
  if (!own && address.charAt(0) !== '/') return null
  const path = (own ? address.slice(originOf(address).length) : address).split(/[?#]/)[0].replace(/\/$/, '') || '/'
  for (const [pattern, make] of PLACES) {
    const found = pattern.exec(path)
    if (found) return make(found[1])
  }
  return null
}

// 打开，返回有没有自己的页面；replacing 时取代现在这一页。
function go (address, replacing) {
  const place = placeOf(address)
  if (!place) return false
  if (place.tab) platform.openTab(place.url)
  else if (replacing) platform.replace(place.url)
  else platform.open(place.url)
  return true
}

module.exports = { placeOf, go }
