const api = require('../../lib/api')
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
    search () { wx.navigateTo({ url: '/pages/search/search' }) },
    openItem (event) { wx.navigateTo({ url: '/pages/item/item?id=' + event.currentTarget.dataset.id }) },
    openPage (event) { wx.navigateTo({ url: '/pages/web/web?page=' + event.currentTarget.dataset.id }) }
  }
})
