def tables(name, found):
    import json
    return [json.dumps(found, indent=1)[:6000]]
def write(kept, names):
    pass
