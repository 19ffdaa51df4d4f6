// 读 AXML，按数据画成节点：a:if、a:for、block、自定义组件和 {{ }}。不认识的写法一律报错。
const fs = require('node:fs')
const path = require('node:path')
const acorn = require('acorn')
const { SaxesParser } = require('saxes')

// AXML 比 XML 宽：a:else 没有值，{{ }} 里可以有 &&。别的都要是合规的 XML。
function asXml (text) {
  return text.replace(/ a:else(?=[\s/>])/g, ' a:else=""').replace(/&(?!(?:amp|lt|gt|quot|apos);)/g, '&amp;')
}

function parse (file) {
  const root = { children: [] }
  const open = [root]
  const parser = new SaxesParser({ fragment: true, fileName: file })
  parser.on('error', error => { throw error })
  parser.on('opentag', tag => {
    const node = { tag: tag.name, attributes: tag.attributes, children: [] }
    open[open.length - 1].children.push(node)
    open.push(node)
  })
  parser.on('closetag', () => { open.pop() })
  parser.on('text', text => { if (text.trim()) open[open.length - 1].children.push({ text }) })
  parser.write(asXml(fs.readFileSync(file, 'utf8'))).close()
  return root.children
}

// 文字里的 {{ }}，各是一个表达式。
function expressions (text) {
  return [...text.matchAll(/\{\{(.*?)\}\}/g)].map(found => found[1])
}

// 表达式里用到的名字；写错了的表达式在这里就报错。
function namesIn (source) {
  const found = new Set()
  const seen = node => {
    if (node.type === 'Identifier') found.add(node.name)
    for (const key of Object.keys(node)) {
      if (key === 'property' && !node.computed) continue
      for (const one of [].concat(node[key])) if (one && typeof one.type === 'string') seen(one)
    }
  }
  const tree = acorn.parse('(' + source + ')', { ecmaVersion: 5 })
  seen(tree)
  return [...found]
}

const compiled = {}

function value (source, scope) {
  for (const name of namesIn(source)) if (!(name in scope)) throw new Error('no ' + name + ' for {{' + source + '}}')
  compiled[source] = compiled[source] || new Function('scope', 'with (scope) { return (' + source + ') }')
  return compiled[source](scope)
}

// 整个是一个 {{ }} 时保留原来的类型，否则拼成文字。
function filled (text, scope) {
  const whole = /^\{\{((?:(?!\}\}).)*)\}\}$/.exec(text)
  if (whole) return value(whole[1], scope)
  return text.replace(/\{\{(.*?)\}\}/g, (all, source) => String(value(source, scope)))
}

const CONTROL = /^a:(if|elif|else|for|for-item|key)$/

function element (node, scope, owner, components) {
  const given = {}
  for (const name of Object.keys(node.attributes)) {
    if (CONTROL.test(name)) continue
    const text = node.attributes[name]
    if (/^on[A-Z]/.test(name)) {
      if (typeof owner[text] !== 'function') throw new Error('no handler ' + text)
      given[name] = owner[text].bind(owner)
    } else {
      given[name] = filled(text, scope)
    }
  }
  if (components[node.tag]) return components[node.tag](given)
  return [{ tag: node.tag, attributes: given, children: draw(node.children, scope, owner, components) }]
}

// 一组兄弟节点；a:elif 和 a:else 看前面的 a:if。
function draw (nodes, scope, owner, components) {
  const drawn = []
  let taken = true
  for (const node of nodes) {
    if (node.text !== undefined) {
      drawn.push({ text: String(filled(node.text, scope)) })
      continue
    }
    const { attributes } = node
    if ('a:if' in attributes) taken = !!filled(attributes['a:if'], scope)
    else if ('a:elif' in attributes) {
      if (taken) continue
      taken = !!filled(attributes['a:elif'], scope)
    } else if ('a:else' in attributes) {
      if (taken) continue
      taken = true
    } else taken = true
    if (!taken) continue
    const each = 'a:for' in attributes ? filled(attributes['a:for'], scope) : [null]
    each.forEach((item, index) => {
      const inner = 'a:for' in attributes ? Object.assign({}, scope, { [attributes['a:for-item'] || 'item']: item, index }) : scope
      drawn.push(...(node.tag === 'block' ? draw(node.children, inner, owner, components) : element(node, inner, owner, components)))
    })
  }
  return drawn
}

// 页面或组件的文件，到画它的函数：draw(scope, owner)。
function drawer (base, componentAt) {
  const nodes = parse(base + '.axml')
  const used = JSON.parse(fs.readFileSync(base + '.json', 'utf8')).usingComponents || {}
  const components = {}
  for (const tag of Object.keys(used)) components[tag] = componentAt(path.resolve(path.dirname(base), used[tag]))
  return (scope, owner) => draw(nodes, scope, owner, components)
}

module.exports = { parse, expressions, namesIn, drawer }
