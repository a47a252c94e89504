// 小程序的网络配置 (settings of the mini program)
const config = {
  API_BASE_URL: 'https://api.mall.com/api/v1',
  // 请求超时，毫秒 (request timeout in milliseconds)
  TIMEOUT: 10000,
  // 失败后重试的次数 (how often a failed request is tried again)
  RETRY_TIMES: 2,
  // 仅用于本地开发 (for development on one's own machine only)
  URL_CHECK: true
}

module.exports = config
