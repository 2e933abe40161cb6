"""retailCRM and Simla.com for crmkit."""

from crmkit_retailcrm.adapter import RetailCrmAdapter
from crmkit_retailcrm.auth import RetailCrmSettings
from crmkit_retailcrm.translate import OrderDetails, OrderPayment, order_details

__all__ = ["OrderDetails", "OrderPayment", "RetailCrmAdapter", "RetailCrmSettings", "order_details"]
