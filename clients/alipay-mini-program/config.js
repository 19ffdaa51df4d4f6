// 部署时只改这一个文件。
module.exports = {
  // 网上办事大厅的地址，须登记为小程序的“服务器域名白名单”和“H5 域名”。
  base: 'https://hall.example.cn',
  // 本小程序在大厅“渠道账号”里登记的标识。
  account: 'gd-alipay-mini',
  // 可以在小程序里打开的网页，须与开放平台登记的“H5 域名”一致，每个写到端口为止。
  webOrigins: ['https://hall.example.cn'],
  // 办件时请居民同意接收的消息模板编号，一次最多 3 个；没有就留空。
  templates: [],
  // 等待服务器回答的时间，毫秒。
  timeoutMs: 10000
}
