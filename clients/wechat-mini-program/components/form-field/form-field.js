// 表单里的一道题；改了就说“哪一题、改成什么”。
Component({
  properties: { field: { type: Object, value: {} } },
  methods: {
    say (value) { this.triggerEvent('answer', { name: this.data.field.name, value }) },
    changed (event) { this.say(event.detail.value) },
    // 下拉框给的是第几个。
    picked (event) {
      const option = this.data.field.options[Number(event.detail.value)]
      this.say(option ? option.value : '')
    }
  }
})
