from django.urls import reverse


def address(traffic, name, *args, **query):
    url = reverse(f"connections:{name}", args=[traffic.operator.vault_id, *args])
    return url + ("?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else "")
