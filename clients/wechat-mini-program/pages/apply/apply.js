const api = require('../../lib/api')
const applications = require('../../lib/applications')
const config = require('../../config')
const form = require('../../lib/form')
const { page } = require('../../lib/page')

// 同一次提交重试时用同一个键，服务器只收一份。
function newKey () {
  return 'mini-' + Date.now().toString(36) + '-' + Math.random().toString(36).slice(2, 12)
}

// 请居民同意接收办理进度；不同意、或手机不支持，都不影响办事。
function askConsent () {
  return new Promise(resolve => {
    if (!config.templates.length || !wx.requestSubscribeMessage) return resolve()
    wx.requestSubscribeMessage({ tmplIds: config.templates.slice(0, 3), complete: () => resolve() })
  })
}

function noticeOf (begun) {
  if (begun.open_number) return '这个事项您已有正在办的件：' + begun.open_number
  return begun.continued ? '已接着上次没有填完的继续' : ''
}

page({
  data: { itemId: '', id: '', version: 0, name: '', sections: [], materials: [], notice: '', number: '', queryCode: '' },
  methods: {
    onLoad (query) {
      this.setData({ itemId: (query && query.id) || '', id: (query && query.application) || '' })
      return this.load()
    },
    load () {
      this.key = this.key || newKey()
      const started = this.data.id
        ? Promise.resolve({ id: this.data.id, continued: true })
        : applications.start(this.data.itemId, this.key + '-start')
      return this.wait(
        started
          .then(begun => applications.read(begun.id).then(found => [begun, found]))
          .then(([begun, found]) => api.get('/items/' + found.item_id).then(item => [begun, found, item])),
        ([begun, found, item]) => {
          this.form = found.form
          this.answers = Object.assign({}, found.answers)
          this.touched = {}
          this.problems = {}
          this.ways = Object.assign({}, found.materials)
          this.needed = item.content.materials
          return Object.assign({
            id: begun.id,
            version: found.version,
            name: found.item_name,
            notice: noticeOf(begun)
          }, this.drawn())
        }
      )
    },
    drawn () {
      return {
        sections: form.sections(this.form, this.answers, this.problems),
        materials: this.needed.map(one => ({
          code: one.code,
          name: one.name,
          required: one.required,
          problem: (this.problems[one.code] || [])[0] || '',
          ways: one.handings.map(way => ({ value: way, title: WAYS[way] || way, chosen: this.ways[one.code] === way }))
        }))
      }
    },
    changed (event) {
      const name = event.currentTarget.dataset.name
      const answer = form.answerOf(this.form, name, event.detail.value)
      if (answer === undefined) delete this.answers[name]
      else this.answers[name] = answer
      this.touched[name] = true
      delete this.problems[name]
      this.setData(this.drawn())
    },
    picked (event) {
      const name = event.currentTarget.dataset.name
      const field = form.sections(this.form, this.answers, {}).reduce((all, one) => all.concat(one.fields), []).filter(one => one.name === name)[0]
      const option = field.options[Number(event.detail.value)]
      this.changed({ currentTarget: event.currentTarget, detail: { value: option ? option.value : '' } })
    },
    wayChosen (event) {
      this.ways[event.currentTarget.dataset.code] = event.detail.value
      this.setData(this.drawn())
    },
    save () {
      return this.wait(this.sent(), () => ({ notice: '已保存，可以以后接着填' })).then(done => this.told(done))
    },
    // 存下改过的；服务器说还缺什么，就标在那一项旁边。
    sent () {
      const answers = form.changes(this.form, this.answers, this.touched)
      return applications.save(this.data.id, this.data.version, answers, this.ways).then(saved => {
        this.setData({ version: saved.version })
        saved.cleared.forEach(name => { delete this.answers[name] })
        this.touched = {}
        this.problems = saved.problems
        return saved
      }, error => {
        this.problems = error.fields
        throw error
      })
    },
    told (done) {
      // 逐项的错要回到表单里看，不能只剩一句话。
      if (!done && Object.keys(this.problems).length && this.data.kind === 'refused') this.setData({ state: 'ready', notice: this.data.words })
      this.setData(this.drawn())
      return done
    },
    submit () {
      this.problems = form.problems(this.form, this.answers, this.touched)
      if (Object.keys(this.problems).length) {
        this.setData(Object.assign({ notice: '还有没填好的地方，请看红字' }, this.drawn()))
        return Promise.resolve(false)
      }
      const sent = askConsent()
        .then(() => this.sent())
        .then(saved => {
          if (Object.keys(saved.problems).length) throw api.failure('refused', '还有没填好的地方，请看红字')
          return applications.submit(this.data.id, saved.version, this.key)
        })
        // 已经收下了；查询码另读，读不到时在“进度”里还看得到这一件。
        .then(taken => applications.read(this.data.id).then(
          found => ({ number: taken.number, queryCode: found.query_code, notice: '' }),
          () => ({ number: taken.number, queryCode: '', notice: '' })
        ))
      return this.wait(sent, shown => shown).then(done => this.told(done))
    },
    toProgress () { wx.switchTab({ url: '/pages/progress/progress' }) }
  }
})

const WAYS = { paper: '交纸质件（窗口或邮寄）', promise: '书面承诺代替', shared: '由部门查验，免交' }
