// 条件和规则与服务器算得一样：form-vectors.json 里的每一例；HALL_CASES 是服务器另外随机造的。
const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const { visible, broken } = require(path.resolve('lib/conditions'))

function cases () {
  const given = fs.readFileSync(path.join(__dirname, 'form-vectors.json'), 'utf8')
  const made = process.env.HALL_CASES ? fs.readFileSync(process.env.HALL_CASES, 'utf8') : '[]'
  return JSON.parse(given).concat(JSON.parse(made))
}

test('every case has the outcome that the server has', () => {
  cases().forEach(one => {
    assert.deepEqual(visible(one.form, one.answers), one.visible, one.name)
    assert.deepEqual(broken(one.form, one.answers), one.broken, one.name)
  })
})

test('a rule about an answer that is hidden behind stars is left to the server', () => {
  const form = {
    sections: [{ fields: ['a', 'b'] }],
    fields: { a: {}, b: {} },
    rules: [{ different: ['a', 'b'], message: '不能相同' }]
  }

  assert.deepEqual(broken(form, { a: '4****1', b: '4****1' }, ['a']), [])
  assert.deepEqual(broken(form, { a: 'x', b: 'x' }, []), [['b', '不能相同']])
})
