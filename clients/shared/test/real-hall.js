// 对着真的大厅和沙箱走一遍：地址和编号由环境变量给出，见 tests/clients。
const assert = require('node:assert/strict')
const { before, test } = require('node:test')
const path = require('node:path')

// 在一个小程序的文件夹里运行：测的是它。
const own = name => require(path.resolve(name))
const config = own('config')
const platform = own('lib/platform')
const env = process.env

config.base = env.HALL_BASE
config.account = env.HALL_ACCOUNT
config.webOrigins = [env.HALL_BASE]

const { phone, open, words, tap, enter, reset, until } = own('test/lib/phone')

// 平台给小程序的一次性 code，由沙箱代替。
async function code (kind) {
  const answer = await fetch(env.HALL_CODES, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ kind })
  })
  return (await answer.json()).code
}

async function fill (page, answers) {
  for (const name of Object.keys(answers)) {
    page.instance.answered({ detail: { name, value: answers[name] } })
  }
}

before(() => {
  reset()
  Object.assign(phone, { answers: null, loginCode: () => code('login') })
})

test('a stranger finds the item and its guide', async () => {
  const search = await open('search')
  await enter(search, '.words', '居住证')
  await tap(search, '.go')
  await until(() => words(search, '.item').length)

  const item = await open('item', { id: env.HALL_ITEM })

  assert.match(words(search, '.item')[0], /居住证申领/)
  assert.equal(words(item, '.name')[0], '居住证申领')
  assert.equal(words(item, '.limit')[0], '承诺时限：8 个工作日')
})

test('the home page lists the item and the published page', async () => {
  const home = await open('home')

  assert.match(words(home, '.item').join(), /居住证申领/)
  assert.match(words(home, '.page-row').join(), /户政办理/)
})

test('what needs signing in says so to a stranger', async () => {
  const messages = await open('messages')

  assert.equal(words(messages, '.state-words')[0], '请先登录')
})

test('a code from the phone signs in, once', async () => {
  const page = await open('sign-in')
  await tap(page, '.sign-in')
  await until(() => phone.storage.session)
  const token = phone.storage.session.token

  const used = await code('login')
  phone.loginCode = () => Promise.resolve(used)
  await tap(await open('sign-in'), '.sign-in')
  await until(() => phone.storage.session.token !== token)
  const again = await open('sign-in')
  await tap(again, '.sign-in')
  await until(() => words(again, '.state-words').length && again.data.state === 'failed')

  assert.match(token, /^r_/)
  assert.equal(again.data.kind, 'refused')
})

test('who signed in sees their account, gives a number and takes it back', async () => {
  const my = await open('my')
  phone.phoneCode = await code('phone')
  my.instance.gotPhone({ detail: { code: phone.phoneCode } })
  await until(() => my.data.phone)
  const shown = words(my, '.phone')[0]

  await tap(my, '.forget-phone')
  await until(() => my.data.state === 'ready' && my.data.phone === '')

  assert.match(words(my, '.binding')[0], new RegExp(platform.NAME + '小程序'))
  assert.match(words(my, '.session').join(), /现在这一个/)
  assert.match(shown, /\*/)
  assert.doesNotMatch(shown, /02012345/)
})

test('messages and cases are empty at first', async () => {
  const messages = await open('messages')
  const progress = await open('progress')

  assert.deepEqual(words(messages, '.empty'), ['还没有消息'])
  assert.deepEqual(words(progress, '.empty'), ['还没有办件'])
})

test('a form is filled in, left, gone on with, submitted once, and its progress is told', async () => {
  const first = await open('apply', { id: env.HALL_ITEM })
  await fill(first, { name: '测试一', id_number: env.HALL_ID_NUMBER, ground: 'work' })
  await tap(first, '.save')
  await until(() => first.data.state === 'ready' && first.data.notice.startsWith('已保存'))

  const page = await open('apply', { id: env.HALL_ITEM })
  const starred = page.data.sections[0].fields.find(one => one.name === 'id_number').answer
  await fill(page, { since: '2015-08-01', employer: '示例工厂', truthful: ['yes'] })
  page.instance.wayChosen({ detail: { code: 'm2', way: 'paper' } })
  await tap(page, '.submit')
  await until(() => page.data.number || page.data.state === 'failed')

  const progress = await open('progress')
  await enter(progress, '.number', page.data.number)
  await enter(progress, '.code', page.data.queryCode)
  await tap(progress, '.query')
  await until(() => progress.data.found)

  const id = progress.data.cases[0].id
  const mine = await open('case', { id })
  await mine.instance.withdraw()

  assert.match(starred, /\*/)
  assert.match(words(progress, '.case')[0], new RegExp('居住证申领.*' + page.data.number))
  assert.match(words(progress, '.found')[0], /^居住证申领：/)
  assert.match(words(mine, '.step').join(), /提交申请.*撤回申请/)
  assert.deepEqual(words(mine, '.withdraw'), [])
})

test('a page of a department is opened by the hall or with a ticket', async () => {
  const page = await open('web', { page: env.HALL_PAGE })

  // 部门的网站不在这台手机的名单上，所以只给出网址。
  assert.match(page.data.outside, /^https?:/)
  assert.equal(page.data.url, '')
})

test('signing out ends the session in the hall too', async () => {
  const my = await open('my')
  const kept = Object.assign({}, phone.storage.session)
  await my.instance.signOut()
  phone.storage.session = kept

  const messages = await open('messages')

  assert.equal(words(messages, '.state-words')[0], '请先登录')
})
