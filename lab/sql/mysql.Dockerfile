# The mall's MySQL 9, with its data in the image: a new volume begins as a copy of it, in a second.
FROM mysql:9
COPY mall.cnf schema.sql seed.sql users.sql lab-users.sql /etc/mysql/mall/
RUN install -d -o mysql -g mysql /var/lib/mall /run/mysqld /var/log/mysql \
 && mysqld --defaults-file=/etc/mysql/mall/mall.cnf --user=mysql --initialize-insecure \
 && { mysqld --defaults-file=/etc/mysql/mall/mall.cnf --user=mysql --skip-networking --daemonize --log-error=/tmp/init.log \
      || { cat /tmp/init.log; exit 1; }; } \
 && cd /etc/mysql/mall \
 && sed -i -e s/{{MALL_PASSWORD}}/lab-mall-not-a-secret/ -e s/{{HANDBELL_PASSWORD}}/lab-handbell-not-a-secret/ users.sql \
 && cat schema.sql seed.sql users.sql lab-users.sql | mysql --no-defaults --socket=/run/mysqld/mysqld.sock --user=root \
 && mysqladmin --no-defaults --socket=/run/mysqld/mysqld.sock --user=root shutdown \
 && while [ -e /run/mysqld/mysqld.sock ]; do sleep 0.1; done \
 && rm -f /tmp/init.log /var/lib/mall/auto.cnf /var/log/mysql/* /var/lib/mall/mall-bin.*
USER mysql
ENTRYPOINT []
CMD ["mysqld", "--defaults-file=/etc/mysql/mall/mall.cnf"]
