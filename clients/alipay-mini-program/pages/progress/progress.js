const applications = require('../../lib/applications')
const session = require('../../lib/session')
const shown = require('../../lib/shown')
const platform = require('../../lib/platform')
const { page } = require('../../lib/page')

function row (one) {
  return {
    id: one.id,
    name: one.item_name,
    body: one.body_name,
    number: one.number || '',
    state: one.state_label,
    draft: !one.number,
    due: one.due_on || '',
    at: shown.moment(one.submitted_at || one.saved_at)
  }
}

page({
  data: { signedIn: false, cases: [], next: null, wanted: '', code: '', found: null },
  methods: {
    shown () { return this.load() },
    load () {
      if (!session.token()) {
        this.setData({ state: 'ready', signedIn: false, cases: [] })
        return Promise.resolve(false)
      }
      return this.wait(applications.mine(), found => ({
        signedIn: true, cases: found.items.map(row), next: found.next_cursor
      }))
    },
    more () {
      if (!this.data.next) return Promise.resolve(false)
      return this.wait(applications.mine(this.data.next), found => ({
        cases: this.data.cases.concat(found.items.map(row)), next: found.next_cursor
      }))
    },
    numberTyped (event) { this.setData({ wanted: event.detail.value.trim() }) },
    codeTyped (event) { this.setData({ code: event.detail.value.trim() }) },
    query () {
      if (!this.data.wanted || !this.data.code) return Promise.resolve(false)
      return this.wait(applications.progress(this.data.wanted, this.data.code), one => ({
        found: {
          name: one.item_name,
          body: one.body_name,
          state: one.state_label,
          steps: one.steps.map(step => shown.moment(step.at) + ' ' + step.label)
        }
      }))
    },
    again () { return this.data.wanted && this.data.code ? this.query() : this.load() },
    open (event) {
      const { id, draft } = event.currentTarget.dataset
      platform.open(draft ? '/pages/apply/apply?application=' + id : '/pages/case/case?id=' + id)
    }
  }
})
