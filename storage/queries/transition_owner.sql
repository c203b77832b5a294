-- Who wrote a transition.
SELECT writer FROM alert_transitions WHERE alert_id = {alert_id:String} AND sequence = {sequence:UInt32} LIMIT 1
