const api = require('../../lib/api')
const applications = require('../../lib/applications')
const form = require('../../lib/form')
const shown = require('../../lib/shown')
const platform = require('../../lib/platform')
const { page } = require('../../lib/page')

page({
  data: { id: '', version: 0, shown: null, asked: null, sections: [], materials: [], statement: '', notice: '' },
  methods: {
    onLoad (query) {
      this.setData({ id: (query && query.id) || '' })
      return this.load()
    },
    load () {
      if (!/^[0-9]{1,19}$/.test(this.data.id)) {
        return this.wait(Promise.reject(api.failure('refused', '没有这个办件')))
      }
      const read = applications.read(this.data.id)
        .then(found => found.may.indexOf('supply') >= 0
          ? api.get('/items/' + found.item_id).then(item => [found, item.content.materials])
          : [found, []])
      return this.wait(read, ([found, needed]) => this.taken(found, needed))
    },
    taken (found, needed) {
      const asked = found.may.indexOf('supply') >= 0 ? found.supplements.filter(one => !one.supplied_at)[0] : undefined
      const wanted = asked ? asked.items : []
      this.key = applications.newKey()
      this.form = found.form
      this.answers = Object.assign({}, found.answers)
      this.ways = {}
      this.files = (found.files || []).filter(one => !one.sent)
      this.touched = {}
      this.problems = {}
      this.fields = wanted.map(one => one.field).filter(Boolean)
      this.needed = needed.filter(one => wanted.some(item => item.material === one.code))
      return Object.assign({
        version: found.version,
        asked: asked ? { due: asked.due_on, words: wanted.map(one => one.text) } : null,
        shown: {
          name: found.item_name,
          body: found.body_name,
          state: found.state_label,
          number: found.number || '',
          code: found.query_code,
          due: found.due_on || '',
          reason: found.reason,
          remedy: found.remedy,
          result: found.result ? found.result.name + ' ' + found.result.number : '',
          steps: found.events.map(one => shown.moment(one.at) + ' ' + one.label + (one.text ? '：' + one.text : '')),
          mayWithdraw: found.may.indexOf('withdraw') >= 0
        }
      }, this.drawn())
    },
    drawn () {
      const sections = form.sections(this.form, this.answers, this.problems)
        .map(one => ({ title: one.title, fields: one.fields.filter(field => this.fields.indexOf(field.name) >= 0) }))
      return {
        sections: sections.filter(one => one.fields.length),
        materials: form.materials(this.needed, this.ways, this.problems, this.files)
      }
    },
    answered (event) {
      const { name, value } = event.detail
      const answer = form.answerOf(this.form, name, value)
      if (answer === undefined) delete this.answers[name]
      else this.answers[name] = answer
      this.touched[name] = true
      this.setData(this.drawn())
    },
    wayChosen (event) {
      this.ways[event.detail.code] = event.detail.way
      this.setData(this.drawn())
    },
    addPhotos (event) {
      const code = event.detail.code
      const sent = applications.addPhotos(this.data.id, code)
      return this.wait(sent, added => {
        this.files = this.files.concat(added)
        return Object.assign({ notice: added.length ? '照片传好了' : '' }, this.drawn())
      }).then(done => this.refusedOrDone(done))
    },
    // 被拒绝时回到表单里看，不能只剩一句话。
    refusedOrDone (done) {
      if (!done && this.data.kind === 'refused') this.setData(Object.assign({ state: 'ready', notice: this.data.words }, this.drawn()))
      return done
    },
    stated (event) { this.setData({ statement: event.detail.value }) },
    supply () {
      const told = {
        answers: form.changes(this.form, this.answers, this.touched),
        materials: this.ways,
        statement: this.data.statement.trim()
      }
      const sent = applications.supply(this.data.id, this.data.version, told, this.key)
      return this.wait(sent.catch(error => {
        this.problems = error.fields || {}
        throw error
      })).then(done => {
        return done ? this.load() : this.refusedOrDone(done)
      })
    },
    withdraw () {
      return platform.ask('撤回申请', '撤回后这一件就结束了，要办须重新申请。', '撤回').then(agreed => {
        if (!agreed) return false
        return this.wait(applications.withdraw(this.data.id, this.data.version)).then(done => done && this.load())
      })
    }
  }
})
