// 表单的条件（visible_if）和几项之间的规则（rules）：网页和小程序用同一份，与服务器算得一样。
// 语言是封闭的，见 docs/applications.md；form-vectors.json 同时检验这里和服务器。
var DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/
var PAIRS = ['not_after', 'before', 'equal', 'different']
var COMPARES = ['equals', 'at_most', 'at_least']

function has (object, name) {
  return Object.prototype.hasOwnProperty.call(object, name)
}

function first (names, object) {
  return names.filter(function (one) { return has(object, one) })[0]
}

var OPERATORS = {
  var: function (name, answers) { return has(answers, name) && answers[name] !== undefined ? answers[name] : null },
  and: function (list, answers) { return list.every(function (one) { return value(one, answers) }) },
  or: function (list, answers) { return list.some(function (one) { return value(one, answers) }) },
  '!': function (one, answers) { return !value(one, answers) },
  '===': function (pair, answers) { return value(pair[0], answers) === value(pair[1], answers) },
  '!==': function (pair, answers) { return value(pair[0], answers) !== value(pair[1], answers) },
  in: function (pair, answers) {
    var held = value(pair[1], answers)
    return Array.isArray(held) && held.indexOf(value(pair[0], answers)) >= 0
  }
}

function value (node, answers) {
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return node
  var operator = Object.keys(node)[0]
  if (!has(OPERATORS, operator)) throw new Error('unknown operator ' + operator)
  return OPERATORS[operator](node[operator], answers)
}

// 要答的题，按顺序；没有问到的题，答案不算数。
function visible (form, answers) {
  var asked = {}
  var found = []
  form.sections.forEach(function (section) {
    section.fields.forEach(function (name) {
      var condition = form.fields[name].visible_if
      if (condition && !value(condition, asked)) return
      found.push(name)
      if (has(answers, name) && answers[name] !== undefined) asked[name] = answers[name]
    })
  })
  return found
}

// 一条规则说到的题，按规则里的顺序；话写在最后一个旁边。
function fieldsOf (rule) {
  if (!has(rule, 'sum')) return rule[first(PAIRS.concat('at_least_one'), rule)]
  var goal = rule.sum[first(COMPARES, rule.sum)]
  return typeof goal === 'string' ? rule.sum.of.concat(goal) : rule.sum.of
}

function isAnswered (answer) {
  return answer !== undefined && answer !== null && answer !== false && answer !== '' &&
    !(Array.isArray(answer) && !answer.length)
}

function isWhole (answer) {
  return typeof answer === 'number' && isFinite(answer) && Math.floor(answer) === answer
}

function sumHolds (told, answers) {
  var compare = first(COMPARES, told)
  var goal = typeof told[compare] === 'string' ? answers[told[compare]] : told[compare]
  var given = told.of.map(function (name) { return answers[name] })
    .filter(function (one) { return one !== undefined && one !== null })
  if (!given.length || !given.concat([goal]).every(isWhole)) return true
  var total = given.reduce(function (sum, one) { return sum + one }, 0)
  if (compare === 'equals') return total === goal
  return compare === 'at_most' ? total <= goal : total >= goal
}

function holds (rule, answers, shown) {
  if (has(rule, 'at_least_one')) return shown.some(function (name) { return isAnswered(answers[name]) })
  if (has(rule, 'sum')) return sumHolds(rule.sum, answers)
  var kind = first(PAIRS, rule)
  var one = answers[rule[kind][0]]
  var other = answers[rule[kind][1]]
  if (!isAnswered(one) || !isAnswered(other)) return true
  if (kind === 'equal' || kind === 'different') return (one === other) === (kind === 'equal')
  if (!DAY.test(one) || !DAY.test(other)) return true
  return kind === 'not_after' ? one <= other : one < other
}

// 哪些题旁边要写什么话。unknown：带星号、手机上不知道内容的题，与它们有关的规则由服务器看。
function broken (form, answers, unknown) {
  var seen = visible(form, answers)
  var asked = {}
  var found = []
  seen.forEach(function (name) { if (has(answers, name)) asked[name] = answers[name] })
  ;(form.rules || []).forEach(function (rule) {
    var names = fieldsOf(rule)
    var shown = names.filter(function (name) { return seen.indexOf(name) >= 0 })
    if (!shown.length || (has(rule, 'when') && !value(rule.when, asked))) return
    if (names.some(function (name) { return (unknown || []).indexOf(name) >= 0 })) return
    if (!holds(rule, asked, shown)) found.push([shown[shown.length - 1], rule.message])
  })
  return found
}

var hallConditions = { visible: visible, broken: broken }
if (typeof module === 'object' && module.exports) module.exports = hallConditions
