// 不运行也看得出的错：每个 AXML 的写法、处理函数、数据、属性和样式。
const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { parse, expressions, namesIn } = require('./lib/axml')
const { definitionOf, ROOT, APP } = require('./lib/phone')

const FILES = fs.readdirSync(ROOT, { recursive: true }).map(String).filter(name => name.endsWith('.axml') && !/^(node_modules|test)\b/.test(name))
const TAGS = [
  'view', 'text', 'block', 'button', 'input', 'textarea', 'switch', 'label', 'radio-group', 'radio', 'checkbox-group', 'checkbox', 'picker', 'web-view'
]
const EVENTS = ['onTap', 'onInput', 'onConfirm', 'onBlur', 'onChange', 'onGetAuthorize']
const STYLES = ['app.acss', 'components/state-view/state-view.acss'].map(name => fs.readFileSync(path.join(ROOT, name), 'utf8')).join('\n')

// 每个节点，和它看得到的循环里的名字。
function * nodesOf (nodes, loop = []) {
  for (const node of nodes) {
    const names = node.attributes && 'a:for' in node.attributes ? [...loop, node.attributes['a:for-item'] || 'item', 'index'] : loop
    yield [node, names, loop]
    if (node.children) yield * nodesOf(node.children, names)
  }
}

function usedBy (base) {
  const told = JSON.parse(fs.readFileSync(base + '.json', 'utf8'))
  return told.usingComponents || {}
}

for (const file of FILES) {
  const base = path.join(ROOT, file).replace(/\.axml$/, '')
  const isPage = file.startsWith('pages')

  test(file + ' is well-formed and uses what there is', () => {
    const used = usedBy(base)

    for (const [node] of nodesOf(parse(base + '.axml'))) {
      if (!node.tag) continue
      assert.ok(TAGS.includes(node.tag) || node.tag in used, 'no component ' + node.tag)
      for (const name of Object.keys(node.attributes)) assert.doesNotMatch(name, /^(wx:|bind|catch)/, name)
    }
    for (const place of Object.values(used)) assert.ok(fs.existsSync(path.resolve(path.dirname(base), place + '.axml')), place)
  })

  test(file + ' names only handlers that its script has', () => {
    const definition = definitionOf(base)
    const handlers = isPage ? definition : definition.methods

    for (const [node] of nodesOf(parse(base + '.axml'))) {
      for (const name of Object.keys(node.attributes || {}).filter(one => /^on[A-Z]/.test(one))) {
        assert.equal(typeof handlers[node.attributes[name]], 'function', node.attributes[name])
        if (TAGS.includes(node.tag)) assert.ok(EVENTS.includes(name), name)
      }
    }
  })

  test(file + ' asks only for data that its script has', () => {
    const definition = definitionOf(base)
    const known = Object.keys(definition.data || {}).concat(Object.keys(definition.props || {}))

    for (const [node, names, outside] of nodesOf(parse(base + '.axml'))) {
      const asked = node.text !== undefined ? [['', node.text]] : Object.entries(node.attributes)
      for (const [name, text] of asked) {
        const seen = known.concat(name === 'a:for' ? outside : names)
        for (const one of expressions(text).flatMap(namesIn)) assert.ok(seen.includes(one), one + ' in ' + text)
      }
    }
  })

  test(file + ' gives a component only the properties it has', () => {
    const used = usedBy(base)

    for (const [node] of nodesOf(parse(base + '.axml'))) {
      if (!(node.tag in used)) continue
      const { props } = definitionOf(path.resolve(path.dirname(base), used[node.tag]))
      for (const name of Object.keys(node.attributes)) assert.ok(/^(a:|on[A-Z])/.test(name) || name in props, name)
    }
  })
}

test('every condition follows an a:if, and every loop tells its items apart', () => {
  const check = nodes => {
    let before = null
    for (const node of nodes.filter(one => one.tag)) {
      const a = node.attributes
      if ('a:elif' in a || 'a:else' in a) assert.ok(before && ('a:if' in before || 'a:elif' in before), node.tag)
      if ('a:for' in a) assert.ok(a['a:key'], node.tag)
      before = a
      check(node.children)
    }
  }

  for (const file of FILES) check(parse(path.join(ROOT, file)))
})

test('what is tapped is large enough for any finger', () => {
  for (const name of ['row', 'primary', 'plain', 'option', 'input', 'state-button']) {
    const height = new RegExp('\\.' + name + ' \\{[^}]*min-height: ([0-9]+)rpx').exec(STYLES)
    assert.ok(height && Number(height[1]) >= 88, name)
  }
})

test('the bar below leads to pages of the app', () => {
  for (const one of APP.tabBar.items) assert.ok(APP.pages.includes(one.pagePath), one.pagePath)
  assert.ok(APP.tabBar.items.length >= 2 && APP.tabBar.items.length <= 5)
})
