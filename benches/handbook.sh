#!/bin/sh
# The handbook's own five commands for Redis (section 2.3), as a person would run them one after the other:
# the rival of `handbell diagnose redis` in `make bench`. $1 is the lab's password.
docker ps | grep redis
docker logs mall_redis_master
docker exec mall_redis_master redis-cli -a "$1" ping
docker exec mall_redis_master redis-cli -a "$1" INFO memory
docker exec mall_redis_master redis-cli -a "$1" INFO clients
