// 表单里的一道题；改了就说“哪一题、改成什么”。
const { tell, pickDate } = require('../../lib/platform')

Component({
  props: { field: {} },
  methods: {
    say (value) { tell(this, 'onAnswer', { name: this.props.field.name, value }) },
    changed (event) { this.say(event.detail.value) },
    // 下拉框给的是第几个。
    picked (event) {
      const option = this.props.field.options[Number(event.detail.value)]
      this.say(option ? option.value : '')
    },
    // 支付宝的 picker 没有日期。
    pickDay () { return pickDate(this.props.field.answer).then(day => this.say(day)) }
  }
})
