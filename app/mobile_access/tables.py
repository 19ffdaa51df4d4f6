"""The table of registrations: what departments send as CSV or XLSX, and take away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.core import sheets
from app.core.sheets import ImportRefused, Layout, Row, RowError, harmless, is_formula

__all__ = ["ImportRefused", "Row", "RowError", "harmless", "is_formula"]

BYTES_MAX = 1024 * 1024
ROWS_MAX = 500

COLUMNS = {
    "单位": "body",
    "服务名": "name",
    "网址": "url",
    "办事领域": "theme",
    "渠道": "channels",
    "说明": "description",
    "咨询热线": "hotline",
    "长辈版网址": "elder_url",
    "健康检查网址": "health_url",
    "其他域名": "domains",
    "备案号": "icp_number",
    "超长名称理由": "name_reason",
    "登录后网址": "signed_in_url",
    "测试票据网址": "ticket_url",
    "过期票据网址": "expired_ticket_url",
    "微信校验文件": "wechat_file",
    "微信校验内容": "wechat_file_text",
    "支付宝校验文件": "alipay_file",
    "授权探测固定路径": "may_probe_paths",
    "联系人": "contact_name",
    "联系电话": "contact_phone",
}
REQUIRED = ("单位", "服务名", "网址", "办事领域", "渠道")
_LAYOUT = Layout(COLUMNS, REQUIRED, "移动网页", bytes_max=BYTES_MAX, rows_max=ROWS_MAX)


def read_table(content: bytes) -> list[Row]:
    """Return the rows of a CSV (UTF-8 or GB18030) or XLSX file; blank rows are left out.

    Raises:
        ImportRefused: it is neither, is too large, has a wrong heading or holds formulas.
    """
    return sheets.read_table(content, _LAYOUT)


def template() -> bytes:
    """Return an empty file to fill in: CSV that spreadsheet programs open as UTF-8."""
    return sheets.template(_LAYOUT)


def to_csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Write rows, by field name, under the headings that :func:`read_table` knows; no cell is a formula."""
    return sheets.to_csv(rows, _LAYOUT)


def to_xlsx(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Write a workbook as :func:`to_csv` does a file; every cell is text."""
    return sheets.to_xlsx(rows, _LAYOUT)
