// 把接口里的时间、金额写成人看的样子。
function two (number) {
  return (number < 10 ? '0' : '') + number
}

// 北京时间，不论手机在哪个时区。
function moment (text) {
  const at = new Date(Date.parse(text) + 8 * 3600 * 1000)
  if (isNaN(at)) return ''
  const day = at.getUTCFullYear() + '年' + (at.getUTCMonth() + 1) + '月' + at.getUTCDate() + '日'
  return day + ' ' + two(at.getUTCHours()) + ':' + two(at.getUTCMinutes())
}

function days (count) {
  return count === 0 ? '当日办结' : count + ' 个工作日'
}

function fee (one) {
  const price = one.fen === null || one.fen === undefined ? one.standard : (one.fen / 100).toFixed(2) + ' 元'
  return one.name + '：' + (price || '按规定收取')
}

module.exports = { moment, days, fee }
