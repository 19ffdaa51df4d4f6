const { tell } = require('../../lib/platform')

Component({
  props: { state: 'ready', kind: '', words: '' },
  methods: {
    again () { tell(this, 'onAgain') },
    signIn () { tell(this, 'onSignIn') }
  }
})
