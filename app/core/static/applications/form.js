// 申请表：该填的项随选择出现和收起，几项之间不合的当时就说。没有脚本时，保存一次也是一样。
(function () {
  var form = document.querySelector('form[data-form]')
  if (!form || !window.Promise || !form.append) return
  var shape = JSON.parse(form.getAttribute('data-form'))
  var places = {}

  Array.prototype.forEach.call(form.querySelectorAll('[data-field]'), function (found) {
    var name = found.getAttribute('data-field')
    var marker = document.createComment(name)
    var node = found
    found.parentNode.insertBefore(marker, found)
    if (found.tagName === 'TEMPLATE') {
      node = document.createElement('div')
      node.setAttribute('data-field', name)
      node.appendChild(found.content.cloneNode(true))
      found.remove()
    }
    places[name] = { marker: marker, node: node, inputs: inputsOf(node, name) }
  })
  Array.prototype.forEach.call(form.querySelectorAll('[data-without-script]'), function (one) { one.remove() })

  function inputsOf (node, name) {
    return Array.prototype.filter.call(node.querySelectorAll('input, select, textarea'), function (one) {
      return one.name === name
    })
  }

  function answerOf (name) {
    var inputs = places[name].inputs
    var type = shape.types[name]
    var checked = inputs.filter(function (one) { return one.checked }).map(function (one) { return one.value })
    if (type === 'boolean') return checked.length ? true : undefined
    if (type === 'array') return checked.length ? checked : undefined
    if (inputs.length && inputs[0].type === 'radio') return checked[0]
    var text = inputs.length ? inputs[0].value.trim() : ''
    if (type === 'integer') return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : undefined
    return text || undefined
  }

  function answers () {
    var found = {}
    Object.keys(places).forEach(function (name) {
      var answer = answerOf(name)
      if (answer !== undefined) found[name] = answer
    })
    return found
  }

  function say (name, words) {
    var node = places[name].node
    var said = node.querySelector('[data-rule]')
    if (said) said.remove()
    if (!words || node.querySelector('.field-error')) return
    said = document.createElement('p')
    said.className = 'field-error'
    said.setAttribute('data-rule', '')
    said.setAttribute('role', 'status')
    said.textContent = words
    places[name].inputs[0].parentNode.insertBefore(said, places[name].inputs[0])
  }

  function show () {
    var given = answers()
    var visible = window.hallConditions.visible(shape, given)
    Object.keys(places).forEach(function (name) {
      var place = places[name]
      var wanted = visible.indexOf(name) >= 0
      if (wanted && !place.node.parentNode) place.marker.parentNode.insertBefore(place.node, place.marker.nextSibling)
      if (!wanted && place.node.parentNode) place.node.remove()
    })
    Array.prototype.forEach.call(form.querySelectorAll('section'), function (section) {
      if (section.hasAttribute('data-fixed')) return
      section.hidden = !section.querySelector('[data-field]')
    })
    var broken = {}
    window.hallConditions.broken(shape, given, shape.unknown).forEach(function (one) { broken[one[0]] = one[1] })
    visible.forEach(function (name) { if (places[name]) say(name, broken[name]) })
  }

  form.addEventListener('change', show)
  show()
})()
