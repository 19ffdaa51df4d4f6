// 假手机的网络：脚本，或者真的大厅。两种手机共用，各自再把回答变成自己平台的样子。
const phone = {}

function reset () {
  Object.assign(phone, {
    storage: {}, requests: [], went: [], copied: [], calls: [], consents: [], agrees: true, answers: {}, loginCode: () => Promise.resolve('a-code'), phoneCode: '', day: '', depth: 2, photos: []
  })
}

// 脚本：answers 按“方法 路径”给出回答，函数收到请求；回答可以是 {status, data}、{lost: 'offline' 或 'timeout'} 或正文。
function scripted (request) {
  const place = request.url.split('/api/v1')[1].split('?')[0]
  const answer = phone.answers[request.method + ' ' + place]
  if (answer === undefined) return { status: 404, data: { title: '没有找到', code: 'not_found' } }
  const told = typeof answer === 'function' ? answer(request) : answer
  return told.status || told.lost ? told : { status: 200, data: told }
}

async function real (request) {
  try {
    const answer = await fetch(request.url, {
      method: request.method, headers: request.headers, body: request.body, signal: AbortSignal.timeout(request.timeoutMs)
    })
    const text = await answer.text()
    return { status: answer.status, data: text ? JSON.parse(text) : '' }
  } catch (error) {
    return { lost: error.name === 'TimeoutError' ? 'timeout' : 'offline' }
  }
}

// request 是 {url, method, headers, body, timeoutMs}；answers 为 null 时问真的大厅。
function answerTo (request) {
  phone.requests.push(request)
  return Promise.resolve(phone.answers ? scripted(request) : real(request))
}

// 让等着的都做完。
async function settled () {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setTimeout(resolve, 1))
}

// 等到 found() 有结果；真的网络要一点时间。
async function until (found) {
  for (let turn = 0; turn < 500; turn++) {
    if (found()) return
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error('waited in vain for ' + found)
}

reset()

module.exports = { phone, reset, answerTo, settled, until }
