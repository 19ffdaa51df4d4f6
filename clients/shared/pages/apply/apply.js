const api = require('../../lib/api')
const applications = require('../../lib/applications')
const { newKey } = applications
const config = require('../../config')
const form = require('../../lib/form')
const platform = require('../../lib/platform')
const { page } = require('../../lib/page')

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
          this.files = found.files || []
          this.variant = found.variant || ''
          this.variants = item.content.variants || []
          // 情形不同，要交的材料也不同。
          this.needed = found.needed || item.content.materials
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
        sections: form.sections(this.form, this.answers, this.problems)
          .concat(form.variantSection(this.variants, this.variant, this.problems)),
        materials: form.materials(this.needed, this.ways, this.problems, this.files)
      }
    },
    answered (event) {
      const { name, value } = event.detail
      if (name === 'variant') {
        this.variant = value
        return this.save()
      }
      const answer = form.answerOf(this.form, name, value)
      if (answer === undefined) delete this.answers[name]
      else this.answers[name] = answer
      this.touched[name] = true
      delete this.problems[name]
      this.setData(this.drawn())
    },
    wayChosen (event) {
      this.ways[event.detail.code] = event.detail.way
      delete this.problems['materials.' + event.detail.code]
      this.setData(this.drawn())
    },
    addPhotos (event) {
      const code = event.detail.code
      // 先存下填好的：照片在慢的网络上可能要再来一次。
      const sent = this.sent().then(() => applications.addPhotos(this.data.id, code))
      return this.wait(sent, added => {
        const known = this.files.map(one => one.id)
        this.files = this.files.concat(added.filter(one => known.indexOf(one.id) < 0))
        this.ways[code] = 'upload'
        delete this.problems['materials.' + code]
        return Object.assign({ notice: added.length ? '照片传好了' : '' }, this.drawn())
      }).then(done => {
        // 哪张为什么不收，要回到表单里看。
        if (!done && this.data.kind === 'refused') this.setData({ state: 'ready', notice: this.data.words })
        this.setData(this.drawn())
        return done
      })
    },
    save () {
      return this.wait(this.sent(), () => ({ notice: '已保存，可以以后接着填' })).then(done => this.told(done))
    },
    // 存下改过的；服务器说还缺什么，就标在那一项旁边。
    sent () {
      const answers = form.changes(this.form, this.answers, this.touched)
      // 没有选过情形就不写，按答案来。
      const variant = this.variants.length && this.variant ? this.variant : undefined
      return applications.save(this.data.id, this.data.version, answers, this.ways, variant).then(saved => {
        this.setData({ version: saved.version })
        saved.cleared.forEach(name => { delete this.answers[name] })
        this.touched = {}
        this.problems = saved.problems
        return this.variants.length ? this.renewed(saved) : saved
      }, error => {
        this.problems = error.fields
        throw error
      })
    },
    // 情形可能随答案变了：要交的材料以大厅的为准。
    renewed (saved) {
      return applications.read(this.data.id).then(found => {
        this.variant = found.variant
        this.needed = found.needed
        this.ways = Object.assign({}, found.materials)
        this.files = found.files
        return saved
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
      // 请居民同意接收办理进度；不同意、或手机不支持，都不影响办事。
      const sent = platform.askConsent(config.templates)
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
    toProgress () { platform.openTab('/pages/progress/progress') }
  }
})
