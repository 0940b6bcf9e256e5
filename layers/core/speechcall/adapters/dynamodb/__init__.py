"""The stores on DynamoDB: two tables, every write conditional."""
