Component({
  properties: {
    state: { type: String, value: 'ready' },
    kind: { type: String, value: '' },
    words: { type: String, value: '' }
  },
  methods: {
    again () { this.triggerEvent('again') },
    signIn () { this.triggerEvent('signin') }
  }
})
