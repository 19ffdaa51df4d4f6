const api = require('../../lib/api')
const shown = require('../../lib/shown')
const { decoded } = require('../../lib/web')
const platform = require('../../lib/platform')
const { page } = require('../../lib/page')

function guide (item) {
  const content = item.content
  return {
    id: item.id,
    name: content.name,
    body: item.body_name,
    sample: item.sample,
    open: item.open && !!item.form,
    pageId: item.page_id || '',
    summary: content.summary,
    limit: shown.days(content.promised_days),
    visits: content.visits === 0 ? '不用到现场' : '到现场 ' + content.visits + ' 次：' + content.visit_reason,
    conditions: content.conditions,
    materials: content.materials.map(one => ({ code: one.code, name: one.name, note: one.note, required: one.required })),
    steps: content.steps.map(one => one.name + '（' + shown.days(one.days) + '）' + (one.result ? '：' + one.result : '')),
    fees: content.fees.length ? content.fees.map(shown.fee) : ['不收费'],
    places: content.places,
    questions: content.questions,
    hotline: content.hotline
  }
}

page({
  data: { id: '', guide: null },
  methods: {
    // 扫小程序码进来时，事项编号在 scene 里，形如 item=7。
    onLoad (query) {
      const opened = platform.opened(query)
      const scanned = /(?:^|&)item=([0-9]+)/.exec(decoded(opened.scene))
      this.setData({ id: opened.id || (scanned ? scanned[1] : '') })
      return this.load()
    },
    load () {
      if (!/^[0-9]{1,19}$/.test(String(this.data.id))) {
        return this.wait(Promise.reject(api.failure('refused', '没有找到这个事项')))
      }
      return this.wait(api.get('/items/' + this.data.id), item => ({ guide: guide(item) }))
    },
    apply () { platform.open('/pages/apply/apply?id=' + this.data.id) },
    openPage () { platform.open('/pages/web/web?page=' + this.data.guide.pageId) },
    call () { platform.call(this.data.guide.hotline) }
  }
})
