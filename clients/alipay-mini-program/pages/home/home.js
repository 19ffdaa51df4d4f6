const api = require('../../lib/api')
const platform = require('../../lib/platform')
const { page } = require('../../lib/page')

const SHOWN = 10

page({
  data: { items: [], pages: [] },
  methods: {
    onLoad () { return this.load() },
    load () {
      const asked = [api.get('/items', { limit: SHOWN }), api.get('/published-pages', { limit: SHOWN })]
      return this.wait(Promise.all(asked), found => ({ items: found[0].items, pages: found[1].items }))
    },
    search () { platform.open('/pages/search/search') },
    openItem (event) { platform.open('/pages/item/item?id=' + event.currentTarget.dataset.id) },
    openPage (event) { platform.open('/pages/web/web?page=' + event.currentTarget.dataset.id) }
  }
})
