// 上传照片：先在手机上缩小，再一个一个传；断了用同一个名字重传，大厅只收一份。没有脚本时照样能传。
(function () {
  var form = document.querySelector('form[data-upload]')
  if (!form || !window.fetch || !window.FormData || !window.Promise) return
  var SIDE = 2400
  var SMALL_BYTES = 700 * 1024
  var TRIES = 3
  var input = form.querySelector('input[type="file"]')
  var status = form.querySelector('[data-status]')
  var button = form.querySelector('button')
  var key = form.querySelector('input[name="key"]').value

  // 画一张小的：照片里的拍摄地点等信息也就没有了。不会画的手机传原来的，由大厅来画。
  function smaller (file) {
    if (!/^image\//.test(file.type) || file.size < SMALL_BYTES || !window.createImageBitmap) return Promise.resolve(file)
    return window.createImageBitmap(file).then(function (picture) {
      var scale = Math.min(1, SIDE / Math.max(picture.width, picture.height))
      var canvas = document.createElement('canvas')
      canvas.width = Math.round(picture.width * scale)
      canvas.height = Math.round(picture.height * scale)
      var pen = canvas.getContext('2d')
      pen.fillStyle = '#fff'
      pen.fillRect(0, 0, canvas.width, canvas.height)
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height)
      if (picture.close) picture.close()
      return new Promise(function (resolve) {
        canvas.toBlob(function (made) { resolve(made && made.size < file.size ? made : file) }, 'image/jpeg', 0.85)
      })
    }).catch(function () { return file })
  }

  function send (content, name, tries) {
    var data = new window.FormData()
    data.append('csrf_token', form.querySelector('input[name="csrf_token"]').value)
    data.append('key', name)
    data.append('file', content, 'file')
    return window.fetch(form.action, {
      method: 'POST',
      body: data,
      credentials: 'same-origin',
      headers: { Accept: 'application/problem+json' }
    }).then(function (answer) {
      if (answer.status >= 500 && tries > 1) return send(content, name, tries - 1)
      if (answer.ok) return ''
      return answer.json().then(function (told) { return told.detail || told.title })
    }, function (error) {
      if (tries > 1) return send(content, name, tries - 1)
      throw error
    })
  }

  function all (files, number, refused) {
    if (number === files.length) return Promise.resolve(refused)
    status.textContent = form.getAttribute('data-working').replace('{n}', number + 1).replace('{all}', files.length)
    return smaller(files[number])
      .then(function (content) { return send(content, key + '-' + number, TRIES) })
      .then(function (words) {
        if (words) refused.push(files[number].name + '：' + words)
        return all(files, number + 1, refused)
      })
  }

  form.addEventListener('submit', function (event) {
    if (!input.files.length) return
    event.preventDefault()
    button.disabled = true
    all(Array.prototype.slice.call(input.files), 0, []).then(function (refused) {
      button.disabled = false
      input.value = ''
      key = key.slice(0, 20) + Date.now().toString(36)
      say(refused)
      return renewed()
    }, function () {
      button.disabled = false
      status.textContent = form.getAttribute('data-failed')
    })
  })

  // 传好的，接着就在上面看得到。
  function renewed () {
    return window.fetch(window.location.pathname, { credentials: 'same-origin', headers: { Accept: 'text/html' } })
      .then(function (answer) { return answer.text() })
      .then(function (text) {
        var fresh = new window.DOMParser().parseFromString(text, 'text/html').querySelector('[data-files]')
        var old = document.querySelector('[data-files]')
        if (fresh && old) old.parentNode.replaceChild(document.importNode(fresh, true), old)
        if (!status.textContent) status.textContent = form.getAttribute('data-done')
      }, function () { window.location.reload() })
  }

  function say (refused) {
    status.textContent = ''
    refused.forEach(function (words) {
      var line = document.createElement('span')
      line.className = 'field-error'
      line.textContent = words
      status.appendChild(line)
    })
  }
})()
