const api = require('../../lib/api')
const places = require('../../lib/places')
const shown = require('../../lib/shown')
const { page } = require('../../lib/page')

function row (one) {
  return { id: one.id, title: one.title, body: one.body, at: shown.moment(one.created_at), read: one.is_read, link: one.link }
}

page({
  data: { messages: [], unread: 0, next: null },
  methods: {
    shown () { return this.load() },
    load () {
      return this.wait(api.get('/my/messages'), found => ({
        messages: found.items.map(row), unread: found.unread_count, next: found.next_cursor
      }))
    },
    more () {
      if (!this.data.next) return Promise.resolve(false)
      return this.wait(api.get('/my/messages', { cursor: this.data.next }), found => ({
        messages: this.data.messages.concat(found.items.map(row)), next: found.next_cursor
      }))
    },
    read (event) {
      const { id, link } = event.currentTarget.dataset
      return this.wait(api.post('/my/messages/read', { ids: [id] }), told => ({
        unread: told.unread_count,
        messages: this.data.messages.map(one => one.id === id ? Object.assign({}, one, { read: true }) : one)
      })).then(done => {
        if (done && link) places.go(link)
        return done
      })
    },
    readAll () {
      return this.wait(api.post('/my/messages/read', { all: true }), told => ({
        unread: told.unread_count,
        messages: this.data.messages.map(one => Object.assign({}, one, { read: true }))
      }))
    }
  }
})
