# SPDX-License-Identifier: Apache-2.0
"""What a script does with netmiko: run in the appliance's namespace, prints its findings as JSON.

    netmiko_session.py USER PASSWORD
"""

import json
import sys

from netmiko import ConnectHandler

user, password = sys.argv[1:]
device = ConnectHandler(
    device_type="cisco_ios", host="127.0.0.1", username=user, password=password, secret="unused"
)
found = {}
device.enable()
found["prompt"] = device.find_prompt()
found["enabled"] = device.check_enable_mode()
for command in ("show version", "show inventory", "show crypto isakmp sa", "show running-config"):
    found[command] = device.send_command(command)
found["refused"] = device.send_command("show nonsense")
found["piped"] = device.send_command("show running-config | include ^crypto|^ip route")
found["configured"] = device.send_config_set(
    [
        "crypto isakmp policy 77",
        "encryption aes 256",
        "hash sha512",
        "authentication pre-share",
        "group 20",
        "lifetime 4000",
        "hash sha999",
    ]
)
found["in_configuration"] = device.check_config_mode()
found["policy"] = device.send_command("show running-config | section policy 77")
found["saved"] = device.save_config()
found["copied"] = device.send_command_timing("copy running-config startup-config")
if "Destination filename" in found["copied"]:
    found["copied"] += device.send_command_timing("\n", strip_prompt=False)
long_line = "ip access-list extended " + "A" * 180
found["long"] = device.send_config_set([long_line, "permit ip host 10.9.9.9 host 10.8.8.8"])
found["long_kept"] = device.send_command("show running-config | section AAAA")
device.disconnect()
json.dump(found, sys.stdout)
