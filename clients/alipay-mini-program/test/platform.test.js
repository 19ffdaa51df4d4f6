// 支付宝与别处不同的地方。
const assert = require('node:assert/strict')
const { beforeEach, test } = require('node:test')
const { phone, open, words, tap, fire, reset } = require('./lib/phone')
const platform = require('../lib/platform')

beforeEach(() => {
  reset()
  getApp().asked = {}
})

const asked = { url: 'https://hall.example.cn/api/v1/items', method: 'GET', headers: { Accept: 'application/json' }, timeoutMs: 10 }

for (const [answer, expected] of [
  [{ status: 200, data: { a: 1 } }, { status: 200, data: { a: 1 } }],
  [{ status: 200, data: '<html>' }, { status: 200, data: '<html>' }],
  [{ status: 201, data: { id: '5' } }, { status: 201, data: { id: '5' } }],
  [{ status: 204, data: '' }, { status: 204, data: '' }],
  [{ status: 422, data: { errors: {} } }, { status: 422, data: { errors: {} } }]
]) {
  test('an answer is an answer, whichever way Alipay hands it over: ' + answer.status + ' ' + typeof answer.data, async () => {
    phone.answers = { 'GET /items': answer }

    assert.deepEqual(await platform.request(asked), expected)
  })
}

for (const [lost, timedOut] of [['timeout', true], ['offline', false]]) {
  test('no answer is told apart from a late one: ' + lost, async () => {
    phone.answers = { 'GET /items': { lost } }

    await assert.rejects(platform.request(asked), { timedOut })
  })
}

for (const [reason, expected] of [
  [{ error: 19 }, { status: 500, data: '' }],
  [{ error: 19, status: 404, data: '<html>' }, { status: 404, data: '<html>' }]
]) {
  test('an answer that is an error is not taken for a lost network: ' + JSON.stringify(reason), async context => {
    context.mock.method(my, 'request', call => call.fail(reason))

    assert.deepEqual(await platform.request(asked), expected)
  })
}

for (const [reason, timedOut] of [[{ status: 13 }, true], [{ status: 12 }, false], [undefined, false], [{ error: 11 }, false]]) {
  test('a number of an error is no status of an answer: ' + JSON.stringify(reason), async context => {
    context.mock.method(my, 'request', call => call.fail(reason))

    await assert.rejects(platform.request(asked), { timedOut })
  })
}

test('a scanned code is told to the app, and its item opens once', async () => {
  getApp().onShow({ query: { scene: 'item%3D7' } })

  const scanned = await open('item')
  const later = await open('item')

  assert.match(phone.requests[0].url, /\/items\/7$/)
  assert.equal(scanned.data.id, '7')
  assert.equal(later.data.id, '')
})

test('the parameters of a page go before those of the app', async () => {
  getApp().onShow({ query: { id: '7' } })

  const page = await open('item', { id: '8' })

  assert.equal(page.data.id, '8')
})

test('an app opened without parameters is no fault', () => {
  getApp().onLaunch({ path: 'pages/home/home' })
  getApp().onShow(undefined)

  assert.deepEqual(platform.opened({}), {})
})

test('what the app was opened with is kept until a page asks', () => {
  getApp().onLaunch({ query: { scene: 'item=7' } })
  getApp().onShow({ path: 'pages/item/item' })

  assert.deepEqual([platform.opened(undefined), platform.opened({})], [{ scene: 'item=7' }, {}])
})

test('who came straight to signing in goes on to their own page', async () => {
  phone.depth = 1
  phone.answers = { 'POST /sign-in/mini': { status: 201, data: { token: 'r_1', expires_at: '2999-01-01T00:00:00Z' } } }
  const page = await open('sign-in')

  await tap(page, '.sign-in')

  assert.deepEqual(phone.went, ['/pages/my/my'])
  assert.equal(phone.storage.session.token, 'r_1')
})

async function mine () {
  phone.storage.session = { token: 'r_1', expires_at: '2999-01-01T00:00:00Z' }
  phone.answers = {
    'GET /my': { phone: '', bindings: [] },
    'GET /my/sessions': [],
    'POST /my/phone': { phone: '020*****' }
  }
  return open('my')
}

test('the sealed number is handed on as Alipay gave it', async () => {
  const page = await mine()
  phone.phoneCode = '{"response":"c2VhbGVk","sign":"c2lnbg=="}'

  await fire(page, '.phone-button', 'getAuthorize', {}, 0)

  assert.deepEqual(JSON.parse(phone.requests.at(-1).body), { code: phone.phoneCode })
  assert.equal(words(page, '.phone')[0], '020*****')
})

test('who does not give their number is not asked by the hall', async () => {
  const page = await mine()
  const before = phone.requests.length

  await fire(page, '.phone-button', 'getAuthorize', {}, 0)

  assert.equal(phone.requests.length, before)
})

const DATED = {
  id: '5', version: 1, item_id: '7', item_name: '居住证申领', answers: {}, materials: {},
  form: {
    schema: { required: [], properties: { since: { type: 'string', format: 'date' } } },
    sections: [{ title: '情况', fields: ['since'] }],
    fields: { since: { label: '居住起始日' } }
  }
}

for (const [day, expected] of [['2015-08-01', '2015-08-01'], ['', '请选择日期']]) {
  test('a day is picked in the window of Alipay: ' + expected, async () => {
    phone.storage.session = { token: 'r_1', expires_at: '2999-01-01T00:00:00Z' }
    phone.answers = { 'GET /my/applications/5': DATED, 'GET /items/7': { content: { materials: [] } } }
    const page = await open('apply', { application: '5' })
    phone.day = day

    await tap(page, '.date')

    assert.deepEqual(words(page, '.date'), [expected])
  })
}
