# The mall's database as MariaDB 10.11, with its data in the image: a new volume begins as a copy of it, in a second.
FROM mariadb:10.11
COPY mall.cnf schema.sql seed.sql users.sql lab-users.sql /etc/mysql/mall/
RUN install -d -o mysql -g mysql /var/lib/mall /run/mysqld /var/log/mysql \
 && mariadb-install-db --defaults-file=/etc/mysql/mall/mall.cnf --user=mysql --skip-test-db --auth-root-authentication-method=normal >/dev/null \
 && { mariadbd --defaults-file=/etc/mysql/mall/mall.cnf --user=mysql --skip-networking >/tmp/init.log 2>&1 & } \
 && until mysqladmin --no-defaults --socket=/run/mysqld/mysqld.sock --user=root ping >/dev/null 2>&1; do sleep 0.1; done \
 && cd /etc/mysql/mall \
 && sed -i -e s/{{MALL_PASSWORD}}/lab-mall-not-a-secret/ -e s/{{HANDBELL_PASSWORD}}/lab-handbell-not-a-secret/ users.sql \
 && cat schema.sql seed.sql users.sql lab-users.sql | mysql --no-defaults --socket=/run/mysqld/mysqld.sock --user=root \
 && mysqladmin --no-defaults --socket=/run/mysqld/mysqld.sock --user=root shutdown \
 && rm -f /tmp/init.log /var/log/mysql/* /var/lib/mall/mall-bin.*
USER mysql
ENTRYPOINT []
CMD ["mariadbd", "--defaults-file=/etc/mysql/mall/mall.cnf"]
