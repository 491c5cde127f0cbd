"""nginx as it is fastest with one core: one worker, no log, kept connections without end, and the
answer of the adapter's plain endpoints in body and headers."""

from servers import free_port

CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error-log;
events {{ worker_connections 8192; use epoll; }}
http {{
    access_log off;
    server_tokens off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    tcp_nodelay on;
    default_type "text/plain; charset=utf-8";
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            add_header Cache-Control no-store;
            add_header X-Content-Type-Options nosniff;
            add_header Age 0;
            return 200 ok;
        }}
    }}
}}
"""
COMMAND = ("nginx", "-c", "{folder}/nginx.conf", "-e", "{folder}/error-log")


def configure(folder):
    """Makes the folder with the configuration; gives the port."""
    folder.mkdir()
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    return port
