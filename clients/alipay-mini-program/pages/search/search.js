const api = require('../../lib/api')
const platform = require('../../lib/platform')
const { page } = require('../../lib/page')

const LONGEST = 40

page({
  data: { words_sought: '', items: [], pages: [], sought: false },
  methods: {
    typed (event) { this.setData({ words_sought: event.detail.value }) },
    search () {
      const sought = this.data.words_sought.trim().slice(0, LONGEST)
      if (!sought) return Promise.resolve(false)
      const asked = [api.get('/items', { q: sought, limit: 20 }), api.get('/published-pages', { query: sought, limit: 20 })]
      return this.wait(Promise.all(asked), found => ({ items: found[0].items, pages: found[1].items, sought: true }))
    },
    openItem (event) { platform.open('/pages/item/item?id=' + event.currentTarget.dataset.id) },
    openPage (event) { platform.open('/pages/web/web?page=' + event.currentTarget.dataset.id) }
  }
})
