"""Written by `make openapi` out of the models of requests: what pydantic's core is told. Do not edit."""

# The models' own modules are not loaded by a function: see local/tools/request_schema.py.
from typing import Any

from speechcall.requests.use_cases import field_checks
from speechcall.requests.use_cases.checked import Checked
from speechcall.shared.rules import json_text

HOURS_FIELDS = ('sendAt', 'windows', 'timeZone', 'notOn')
MESSAGE_FIELDS = (
 'sendAt',
 'windows',
 'timeZone',
 'notOn',
 'statusUrl',
 'statusEvents',
 'consent',
 'from',
 'to',
 'text',
 'type',
 'menu',
 'vars',
 'customerMessageId',
 'ttl',
 'ringTimeoutSec',
 'silentRepeats',
 'redial',
 'fallback',
 'priority',
 'optOutLists',
 'ignoreOptOut',
)
MESSAGE: Any = {
 'type': 'definitions',
 'schema': {
  'type': 'model',
  'cls': Checked,
  'schema': {
   'type': 'model-fields',
   'fields': {
    'sendAt': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'function-after',
       'function': {'type': 'no-info', 'function': field_checks.check_send_at},
       'schema': {'type': 'nullable', 'schema': {'type': 'str'}},
      },
      'default': None,
     },
    },
    'windows': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'nullable',
       'schema': {
        'type': 'list',
        'items_schema': {
         'type': 'model',
         'cls': Checked,
         'schema': {
          'type': 'model-fields',
          'fields': {
           'from_': {
            'type': 'model-field',
            'schema': {
             'type': 'function-after',
             'function': {'type': 'with-info', 'function': field_checks.check_window_time},
             'schema': {'type': 'str'},
            },
            'validation_alias': 'from',
           },
           'to': {
            'type': 'model-field',
            'schema': {
             'type': 'function-after',
             'function': {'type': 'with-info', 'function': field_checks.check_window_time},
             'schema': {'type': 'str'},
            },
           },
           'days': {
            'type': 'model-field',
            'schema': {
             'type': 'default',
             'schema': {
              'type': 'function-after',
              'function': {'type': 'no-info', 'function': field_checks.check_window_days},
              'schema': {
               'type': 'list',
               'items_schema': {'type': 'literal', 'expected': ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']},
               'min_length': 1,
              },
             },
             'default': ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
            },
           },
          },
         },
         'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
        },
        'min_length': 1,
        'max_length': 7,
       },
      },
      'default': None,
     },
    },
    'timeZone': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'function-after',
       'function': {'type': 'no-info', 'function': field_checks.check_time_zone},
       'schema': {'type': 'nullable', 'schema': {'type': 'str'}},
      },
      'default': None,
     },
    },
    'notOn': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'nullable',
       'schema': {
        'type': 'list',
        'items_schema': {
         'type': 'function-after',
         'function': {'type': 'no-info', 'function': field_checks.check_day_off},
         'schema': {'type': 'str'},
        },
        'min_length': 1,
        'max_length': 100,
       },
      },
      'default': None,
     },
    },
    'statusUrl': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'function-after',
       'function': {'type': 'with-info', 'function': field_checks.check_status_url},
       'schema': {'type': 'nullable', 'schema': {'type': 'str', 'max_length': 2048}},
      },
      'default': None,
     },
    },
    'statusEvents': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'function-after',
       'function': {'type': 'no-info', 'function': field_checks.check_status_events},
       'schema': {
        'type': 'nullable',
        'schema': {
         'type': 'list',
         'items_schema': {'type': 'literal', 'expected': ['final', 'attempt', 'list', 'fallback']},
         'max_length': 4,
        },
       },
      },
      'default': None,
     },
    },
    'consent': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'nullable',
       'schema': {
        'type': 'model',
        'cls': Checked,
        'schema': {
         'type': 'model-fields',
         'fields': {
          'basis': {'type': 'model-field', 'schema': {'type': 'str', 'min_length': 1, 'max_length': 256}},
          'at': {
           'type': 'model-field',
           'schema': {
            'type': 'function-after',
            'function': {'type': 'no-info', 'function': field_checks.check_consent_moment},
            'schema': {'type': 'str', 'min_length': 1, 'max_length': 256},
           },
          },
          'ref': {'type': 'model-field', 'schema': {'type': 'str', 'min_length': 1, 'max_length': 256}},
         },
        },
        'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
       },
      },
      'default': None,
     },
    },
    'from_': {
     'type': 'model-field',
     'schema': {'type': 'str', 'min_length': 1, 'max_length': 64},
     'validation_alias': 'from',
    },
    'to': {
     'type': 'model-field',
     'schema': {
      'type': 'function-after',
      'function': {'type': 'no-info', 'function': field_checks.check_number},
      'schema': {'type': 'str'},
     },
    },
    'text': {'type': 'model-field', 'schema': {'type': 'str', 'min_length': 1, 'max_length': 1600}},
    'type': {'type': 'model-field', 'schema': {'type': 'literal', 'expected': ['speechcall']}},
    'menu': {
     'type': 'model-field',
     'schema': {
      'type': 'list',
      'items_schema': {
       'type': 'model',
       'cls': Checked,
       'schema': {
        'type': 'model-fields',
        'fields': {
         'say': {
          'type': 'model-field',
          'schema': {
           'type': 'default',
           'schema': {
            'type': 'nullable',
            'schema': {
             'type': 'model',
             'cls': Checked,
             'schema': {
              'type': 'model-fields',
              'fields': {
               'text': {
                'type': 'model-field',
                'schema': {
                 'type': 'function-after',
                 'function': {'type': 'no-info', 'function': field_checks.check_spoken},
                 'schema': {'type': 'str', 'min_length': 1, 'max_length': 1500},
                },
               },
               'language': {
                'type': 'model-field',
                'schema': {
                 'type': 'function-after',
                 'function': {'type': 'no-info', 'function': field_checks.check_language},
                 'schema': {'type': 'str'},
                },
               },
               'voice': {
                'type': 'model-field',
                'schema': {
                 'type': 'default',
                 'schema': {
                  'type': 'function-after',
                  'function': {'type': 'with-info', 'function': field_checks.check_voice},
                  'schema': {
                   'type': 'nullable',
                   'schema': {'type': 'str', 'min_length': 1, 'max_length': 64},
                  },
                 },
                 'default': None,
                },
               },
              },
             },
             'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
            },
           },
           'default': None,
          },
         },
         'play': {
          'type': 'model-field',
          'schema': {
           'type': 'default',
           'schema': {
            'type': 'nullable',
            'schema': {
             'type': 'list',
             'items_schema': {
              'type': 'function-before',
              'function': {'type': 'no-info', 'function': field_checks.check_one_kind},
              'schema': {
               'type': 'model',
               'cls': Checked,
               'schema': {
                'type': 'model-fields',
                'fields': {
                 'audio': {
                  'type': 'model-field',
                  'schema': {
                   'type': 'default',
                   'schema': {
                    'type': 'function-after',
                    'function': {'type': 'with-info', 'function': field_checks.check_audio},
                    'schema': {
                     'type': 'nullable',
                     'schema': {'type': 'str', 'min_length': 1, 'max_length': 2048},
                    },
                   },
                   'default': None,
                  },
                 },
                 'say': {
                  'type': 'model-field',
                  'schema': {
                   'type': 'default',
                   'schema': {
                    'type': 'nullable',
                    'schema': {
                     'type': 'model',
                     'cls': Checked,
                     'schema': {
                      'type': 'model-fields',
                      'fields': {
                       'text': {
                        'type': 'model-field',
                        'schema': {
                         'type': 'function-after',
                         'function': {'type': 'no-info', 'function': field_checks.check_spoken},
                         'schema': {'type': 'str', 'min_length': 1, 'max_length': 1500},
                        },
                       },
                       'language': {
                        'type': 'model-field',
                        'schema': {
                         'type': 'function-after',
                         'function': {'type': 'no-info', 'function': field_checks.check_language},
                         'schema': {'type': 'str'},
                        },
                       },
                       'voice': {
                        'type': 'model-field',
                        'schema': {
                         'type': 'default',
                         'schema': {
                          'type': 'function-after',
                          'function': {'type': 'with-info', 'function': field_checks.check_voice},
                          'schema': {
                           'type': 'nullable',
                           'schema': {'type': 'str', 'min_length': 1, 'max_length': 64},
                          },
                         },
                         'default': None,
                        },
                       },
                      },
                     },
                     'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
                    },
                   },
                   'default': None,
                  },
                 },
                 'spell': {
                  'type': 'model-field',
                  'schema': {
                   'type': 'default',
                   'schema': {
                    'type': 'function-after',
                    'function': {'type': 'no-info', 'function': field_checks.check_digits},
                    'schema': {
                     'type': 'nullable',
                     'schema': {'type': 'str', 'min_length': 1, 'max_length': 20},
                    },
                   },
                   'default': None,
                  },
                 },
                 'recordings': {
                  'type': 'model-field',
                  'schema': {
                   'type': 'default',
                   'schema': {
                    'type': 'function-after',
                    'function': {'type': 'no-info', 'function': field_checks.check_recordings},
                    'schema': {
                     'type': 'nullable',
                     'schema': {'type': 'str', 'min_length': 1, 'max_length': 63},
                    },
                   },
                   'default': None,
                  },
                 },
                 'pauseMsec': {
                  'type': 'model-field',
                  'schema': {
                   'type': 'default',
                   'schema': {
                    'type': 'nullable',
                    'schema': {
                     'type': 'function-before',
                     'function': {'type': 'no-info', 'function': json_text.whole},
                     'schema': {'type': 'int', 'ge': 1, 'le': 10000},
                    },
                   },
                   'default': None,
                  },
                 },
                },
               },
               'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
              },
             },
             'min_length': 1,
             'max_length': 20,
            },
           },
           'default': None,
          },
         },
         'introUrl': {
          'type': 'model-field',
          'schema': {
           'type': 'default',
           'schema': {
            'type': 'function-after',
            'function': {'type': 'with-info', 'function': field_checks.check_intro},
            'schema': {'type': 'nullable', 'schema': {'type': 'str', 'min_length': 1, 'max_length': 2048}},
           },
           'validate_default': True,
           'default': None,
          },
         },
         'idleTimeoutMsec': {
          'type': 'model-field',
          'schema': {
           'type': 'default',
           'schema': {
            'type': 'function-before',
            'function': {'type': 'no-info', 'function': json_text.whole},
            'schema': {'type': 'int', 'ge': 1, 'le': 180000},
           },
           'default': 10000,
          },
         },
         'input': {
          'type': 'model-field',
          'schema': {
           'type': 'default',
           'schema': {
            'type': 'nullable',
            'schema': {
             'type': 'model',
             'cls': Checked,
             'schema': {
              'type': 'model-fields',
              'fields': {
               'minDigits': {
                'type': 'model-field',
                'schema': {
                 'type': 'default',
                 'schema': {
                  'type': 'function-before',
                  'function': {'type': 'no-info', 'function': json_text.whole},
                  'schema': {'type': 'int', 'ge': 1, 'le': 20},
                 },
                 'default': 1,
                },
               },
               'maxDigits': {
                'type': 'model-field',
                'schema': {
                 'type': 'function-before',
                 'function': {'type': 'no-info', 'function': json_text.whole},
                 'schema': {'type': 'int', 'ge': 1, 'le': 20},
                },
               },
               'endKey': {
                'type': 'model-field',
                'schema': {
                 'type': 'default',
                 'schema': {'type': 'literal', 'expected': ['#', '*']},
                 'default': '#',
                },
               },
               'interDigitMsec': {
                'type': 'model-field',
                'schema': {
                 'type': 'default',
                 'schema': {
                  'type': 'function-before',
                  'function': {'type': 'no-info', 'function': json_text.whole},
                  'schema': {'type': 'int', 'ge': 1000, 'le': 20000},
                 },
                 'default': 3000,
                },
               },
               'sensitive': {
                'type': 'model-field',
                'schema': {'type': 'default', 'schema': {'type': 'bool'}, 'default': False},
               },
              },
             },
             'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
            },
           },
           'default': None,
          },
         },
         'bargeIn': {
          'type': 'model-field',
          'schema': {'type': 'default', 'schema': {'type': 'bool'}, 'default': True},
         },
         'dtmfActions': {
          'type': 'model-field',
          'schema': {
           'type': 'dict',
           'keys_schema': {
            'type': 'literal',
            'expected': [
             'd0',
             'd1',
             'd2',
             'd3',
             'd4',
             'd5',
             'd6',
             'd7',
             'd8',
             'd9',
             'd*',
             'd#',
             'complete',
             'silence',
             'invalid',
             'wrong',
            ],
           },
           'values_schema': {
            'type': 'list',
            'items_schema': {
             'type': 'tagged-union',
             'choices': {
              'webhook': {'type': 'definition-ref', 'schema_ref': 'WebhookModel'},
              'hangup': {'type': 'definition-ref', 'schema_ref': 'HangupModel'},
              'gotoMenu': {'type': 'definition-ref', 'schema_ref': 'GotoMenuModel'},
              'optOut': {'type': 'definition-ref', 'schema_ref': 'OptOutModel'},
              'lookup': {'type': 'definition-ref', 'schema_ref': 'LookupModel'},
             },
             'discriminator': field_checks.action_name,
             'custom_error_type': 'action',
             'custom_error_message': 'an unknown action',
            },
            'max_length': 10,
           },
          },
         },
         'repeat': {
          'type': 'model-field',
          'schema': {
           'type': 'default',
           'schema': {
            'type': 'nullable',
            'schema': {
             'type': 'function-before',
             'function': {'type': 'no-info', 'function': field_checks.check_repeat},
             'schema': {
              'type': 'model',
              'cls': Checked,
              'schema': {
               'type': 'model-fields',
               'fields': {
                'times': {
                 'type': 'model-field',
                 'schema': {
                  'type': 'function-before',
                  'function': {'type': 'no-info', 'function': json_text.whole},
                  'schema': {'type': 'int', 'ge': 1, 'le': 5},
                 },
                },
                'introUrl': {
                 'type': 'model-field',
                 'schema': {
                  'type': 'default',
                  'schema': {
                   'type': 'function-after',
                   'function': {'type': 'with-info', 'function': field_checks.check_audio},
                   'schema': {
                    'type': 'nullable',
                    'schema': {'type': 'str', 'min_length': 1, 'max_length': 2048},
                   },
                  },
                  'default': None,
                 },
                },
                'say': {
                 'type': 'model-field',
                 'schema': {
                  'type': 'default',
                  'schema': {
                   'type': 'nullable',
                   'schema': {
                    'type': 'model',
                    'cls': Checked,
                    'schema': {
                     'type': 'model-fields',
                     'fields': {
                      'text': {
                       'type': 'model-field',
                       'schema': {
                        'type': 'function-after',
                        'function': {'type': 'no-info', 'function': field_checks.check_spoken},
                        'schema': {'type': 'str', 'min_length': 1, 'max_length': 1500},
                       },
                      },
                      'language': {
                       'type': 'model-field',
                       'schema': {
                        'type': 'function-after',
                        'function': {'type': 'no-info', 'function': field_checks.check_language},
                        'schema': {'type': 'str'},
                       },
                      },
                      'voice': {
                       'type': 'model-field',
                       'schema': {
                        'type': 'default',
                        'schema': {
                         'type': 'function-after',
                         'function': {'type': 'with-info', 'function': field_checks.check_voice},
                         'schema': {
                          'type': 'nullable',
                          'schema': {'type': 'str', 'min_length': 1, 'max_length': 64},
                         },
                        },
                        'default': None,
                       },
                      },
                     },
                    },
                    'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
                   },
                  },
                  'default': None,
                 },
                },
                'play': {
                 'type': 'model-field',
                 'schema': {
                  'type': 'default',
                  'schema': {
                   'type': 'nullable',
                   'schema': {
                    'type': 'list',
                    'items_schema': {
                     'type': 'function-before',
                     'function': {'type': 'no-info', 'function': field_checks.check_one_kind},
                     'schema': {
                      'type': 'model',
                      'cls': Checked,
                      'schema': {
                       'type': 'model-fields',
                       'fields': {
                        'audio': {
                         'type': 'model-field',
                         'schema': {
                          'type': 'default',
                          'schema': {
                           'type': 'function-after',
                           'function': {'type': 'with-info', 'function': field_checks.check_audio},
                           'schema': {
                            'type': 'nullable',
                            'schema': {'type': 'str', 'min_length': 1, 'max_length': 2048},
                           },
                          },
                          'default': None,
                         },
                        },
                        'say': {
                         'type': 'model-field',
                         'schema': {
                          'type': 'default',
                          'schema': {
                           'type': 'nullable',
                           'schema': {
                            'type': 'model',
                            'cls': Checked,
                            'schema': {
                             'type': 'model-fields',
                             'fields': {
                              'text': {
                               'type': 'model-field',
                               'schema': {
                                'type': 'function-after',
                                'function': {'type': 'no-info', 'function': field_checks.check_spoken},
                                'schema': {'type': 'str', 'min_length': 1, 'max_length': 1500},
                               },
                              },
                              'language': {
                               'type': 'model-field',
                               'schema': {
                                'type': 'function-after',
                                'function': {'type': 'no-info', 'function': field_checks.check_language},
                                'schema': {'type': 'str'},
                               },
                              },
                              'voice': {
                               'type': 'model-field',
                               'schema': {
                                'type': 'default',
                                'schema': {
                                 'type': 'function-after',
                                 'function': {'type': 'with-info', 'function': field_checks.check_voice},
                                 'schema': {
                                  'type': 'nullable',
                                  'schema': {'type': 'str', 'min_length': 1, 'max_length': 64},
                                 },
                                },
                                'default': None,
                               },
                              },
                             },
                            },
                            'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
                           },
                          },
                          'default': None,
                         },
                        },
                        'spell': {
                         'type': 'model-field',
                         'schema': {
                          'type': 'default',
                          'schema': {
                           'type': 'function-after',
                           'function': {'type': 'no-info', 'function': field_checks.check_digits},
                           'schema': {
                            'type': 'nullable',
                            'schema': {'type': 'str', 'min_length': 1, 'max_length': 20},
                           },
                          },
                          'default': None,
                         },
                        },
                        'recordings': {
                         'type': 'model-field',
                         'schema': {
                          'type': 'default',
                          'schema': {
                           'type': 'function-after',
                           'function': {'type': 'no-info', 'function': field_checks.check_recordings},
                           'schema': {
                            'type': 'nullable',
                            'schema': {'type': 'str', 'min_length': 1, 'max_length': 63},
                           },
                          },
                          'default': None,
                         },
                        },
                        'pauseMsec': {
                         'type': 'model-field',
                         'schema': {
                          'type': 'default',
                          'schema': {
                           'type': 'nullable',
                           'schema': {
                            'type': 'function-before',
                            'function': {'type': 'no-info', 'function': json_text.whole},
                            'schema': {'type': 'int', 'ge': 1, 'le': 10000},
                           },
                          },
                          'default': None,
                         },
                        },
                       },
                      },
                      'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
                     },
                    },
                    'min_length': 1,
                    'max_length': 20,
                   },
                  },
                  'default': None,
                 },
                },
               },
              },
              'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
             },
            },
           },
           'default': None,
          },
         },
        },
       },
       'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
      },
      'min_length': 1,
      'max_length': 20,
     },
    },
    'vars': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'nullable',
       'schema': {
        'type': 'dict',
        'keys_schema': {'type': 'str', 'pattern': '^[A-Za-z][A-Za-z0-9_]{0,31}$'},
        'values_schema': {'type': 'str', 'min_length': 1, 'max_length': 256},
        'max_length': 100,
       },
      },
      'default': None,
     },
    },
    'customerMessageId': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {'type': 'nullable', 'schema': {'type': 'str', 'min_length': 1, 'max_length': 64}},
      'default': None,
     },
    },
    'ttl': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'function-before',
       'function': {'type': 'no-info', 'function': json_text.whole},
       'schema': {'type': 'int', 'ge': 30, 'le': 172800},
      },
      'default': 86400,
     },
    },
    'ringTimeoutSec': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'function-before',
       'function': {'type': 'no-info', 'function': json_text.whole},
       'schema': {'type': 'int', 'ge': 15, 'le': 60},
      },
      'default': 45,
     },
    },
    'silentRepeats': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'nullable',
       'schema': {
        'type': 'function-before',
        'function': {'type': 'no-info', 'function': json_text.whole},
        'schema': {'type': 'int', 'ge': 0, 'le': 49},
       },
      },
      'default': None,
     },
    },
    'redial': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'nullable',
       'schema': {
        'type': 'model',
        'cls': Checked,
        'schema': {
         'type': 'model-fields',
         'fields': {
          'attempts': {
           'type': 'model-field',
           'schema': {
            'type': 'function-before',
            'function': {'type': 'no-info', 'function': json_text.whole},
            'schema': {'type': 'int', 'ge': 0, 'le': 4},
           },
          },
          'afterSec': {
           'type': 'model-field',
           'schema': {
            'type': 'default',
            'schema': {
             'type': 'list',
             'items_schema': {
              'type': 'function-before',
              'function': {'type': 'no-info', 'function': json_text.whole},
              'schema': {'type': 'int', 'ge': 60, 'le': 86400},
             },
             'min_length': 1,
             'max_length': 4,
            },
            'default': [300],
           },
          },
          'on': {
           'type': 'model-field',
           'schema': {
            'type': 'default',
            'schema': {
             'type': 'function-after',
             'function': {'type': 'no-info', 'function': field_checks.check_redial_on},
             'schema': {
              'type': 'list',
              'items_schema': {'type': 'literal', 'expected': ['busy', 'noAnswer', 'failed', 'noKey']},
              'min_length': 1,
             },
            },
            'default': ['busy', 'noAnswer', 'failed'],
           },
          },
         },
        },
        'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
       },
      },
      'default': None,
     },
    },
    'fallback': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'nullable',
       'schema': {
        'type': 'model',
        'cls': Checked,
        'schema': {
         'type': 'model-fields',
         'fields': {
          'type': {'type': 'model-field', 'schema': {'type': 'literal', 'expected': ['sms']}},
          'text': {
           'type': 'model-field',
           'schema': {
            'type': 'function-after',
            'function': {'type': 'no-info', 'function': field_checks.check_fallback_text},
            'schema': {'type': 'str', 'min_length': 1, 'max_length': 1530},
           },
          },
          'on': {
           'type': 'model-field',
           'schema': {
            'type': 'default',
            'schema': {
             'type': 'function-after',
             'function': {'type': 'no-info', 'function': field_checks.check_fallback_on},
             'schema': {
              'type': 'list',
              'items_schema': {
               'type': 'literal',
               'expected': ['noAnswer', 'busy', 'failed', 'expired', 'promptUnavailable', 'noKey'],
              },
              'min_length': 1,
             },
            },
            'default': ['noAnswer', 'busy', 'failed', 'expired', 'promptUnavailable'],
           },
          },
         },
        },
        'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
       },
      },
      'default': None,
     },
    },
    'priority': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {'type': 'literal', 'expected': ['normal', 'urgent']},
      'default': 'normal',
     },
    },
    'optOutLists': {
     'type': 'model-field',
     'schema': {
      'type': 'default',
      'schema': {
       'type': 'list',
       'items_schema': {'type': 'str', 'pattern': '^[A-Za-z0-9_-]{1,64}$'},
       'max_length': 5,
      },
      'default': [],
     },
    },
    'ignoreOptOut': {
     'type': 'model-field',
     'schema': {'type': 'default', 'schema': {'type': 'bool'}, 'default': False},
    },
   },
  },
  'config': {'strict': True, 'extra_fields_behavior': 'ignore'},
 },
 'definitions': [
  {
   'type': 'model',
   'cls': Checked,
   'schema': {
    'type': 'model-fields',
    'fields': {
     'action': {'type': 'model-field', 'schema': {'type': 'literal', 'expected': ['webhook']}},
     'url': {
      'type': 'model-field',
      'schema': {
       'type': 'function-after',
       'function': {'type': 'with-info', 'function': field_checks.check_webhook_url},
       'schema': {'type': 'str', 'max_length': 2048},
      },
     },
     'body': {
      'type': 'model-field',
      'schema': {
       'type': 'default',
       'schema': {
        'type': 'function-after',
        'function': {'type': 'no-info', 'function': field_checks.check_webhook_body},
        'schema': {
         'type': 'nullable',
         'schema': {'type': 'dict', 'keys_schema': {'type': 'str'}, 'values_schema': {'type': 'any'}},
        },
       },
       'default': None,
      },
     },
     'headers': {
      'type': 'model-field',
      'schema': {
       'type': 'default',
       'schema': {
        'type': 'function-after',
        'function': {'type': 'no-info', 'function': field_checks.check_webhook_headers},
        'schema': {
         'type': 'nullable',
         'schema': {
          'type': 'dict',
          'keys_schema': {'type': 'str'},
          'values_schema': {'type': 'str'},
          'max_length': 20,
         },
        },
       },
       'default': None,
      },
     },
    },
   },
   'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
   'ref': 'WebhookModel',
  },
  {
   'type': 'model',
   'cls': Checked,
   'schema': {
    'type': 'model-fields',
    'fields': {'action': {'type': 'model-field', 'schema': {'type': 'literal', 'expected': ['hangup']}}},
   },
   'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
   'ref': 'HangupModel',
  },
  {
   'type': 'model',
   'cls': Checked,
   'schema': {
    'type': 'model-fields',
    'fields': {
     'action': {'type': 'model-field', 'schema': {'type': 'literal', 'expected': ['gotoMenu']}},
     'menu': {
      'type': 'model-field',
      'schema': {
       'type': 'function-before',
       'function': {'type': 'no-info', 'function': field_checks.menu_index},
       'schema': {'type': 'int'},
      },
     },
    },
   },
   'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
   'ref': 'GotoMenuModel',
  },
  {
   'type': 'model',
   'cls': Checked,
   'schema': {
    'type': 'model-fields',
    'fields': {
     'action': {'type': 'model-field', 'schema': {'type': 'literal', 'expected': ['optOut']}},
     'list': {
      'type': 'model-field',
      'schema': {
       'type': 'default',
       'schema': {'type': 'str', 'pattern': '^([A-Za-z0-9_-]{1,64})?$'},
       'default': '',
      },
     },
    },
   },
   'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
   'ref': 'OptOutModel',
  },
  {
   'type': 'model',
   'cls': Checked,
   'schema': {
    'type': 'model-fields',
    'fields': {
     'action': {'type': 'model-field', 'schema': {'type': 'literal', 'expected': ['lookup']}},
     'url': {
      'type': 'model-field',
      'schema': {
       'type': 'function-after',
       'function': {'type': 'with-info', 'function': field_checks.check_webhook_url},
       'schema': {'type': 'str', 'max_length': 2048},
      },
     },
     'body': {
      'type': 'model-field',
      'schema': {
       'type': 'default',
       'schema': {
        'type': 'function-after',
        'function': {'type': 'no-info', 'function': field_checks.check_webhook_body},
        'schema': {
         'type': 'nullable',
         'schema': {'type': 'dict', 'keys_schema': {'type': 'str'}, 'values_schema': {'type': 'any'}},
        },
       },
       'default': None,
      },
     },
     'headers': {
      'type': 'model-field',
      'schema': {
       'type': 'default',
       'schema': {
        'type': 'function-after',
        'function': {'type': 'no-info', 'function': field_checks.check_webhook_headers},
        'schema': {
         'type': 'nullable',
         'schema': {
          'type': 'dict',
          'keys_schema': {'type': 'str'},
          'values_schema': {'type': 'str'},
          'max_length': 20,
         },
        },
       },
       'default': None,
      },
     },
     'timeoutMsec': {
      'type': 'model-field',
      'schema': {
       'type': 'default',
       'schema': {
        'type': 'function-before',
        'function': {'type': 'no-info', 'function': json_text.whole},
        'schema': {'type': 'int', 'ge': 1000, 'le': 5000},
       },
       'default': 3000,
      },
     },
     'cases': {
      'type': 'model-field',
      'schema': {
       'type': 'function-after',
       'function': {'type': 'no-info', 'function': field_checks.check_cases},
       'schema': {
        'type': 'dict',
        'keys_schema': {'type': 'str'},
        'values_schema': {
         'type': 'function-before',
         'function': {'type': 'no-info', 'function': field_checks.menu_index},
         'schema': {'type': 'int'},
        },
        'min_length': 1,
        'max_length': 20,
       },
      },
     },
     'else_': {
      'type': 'model-field',
      'schema': {
       'type': 'function-before',
       'function': {'type': 'no-info', 'function': field_checks.menu_index},
       'schema': {'type': 'int'},
      },
      'validation_alias': 'else',
     },
    },
   },
   'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
   'ref': 'LookupModel',
  },
 ],
}
DEFAULT_FIELDS = ('sendAt', 'windows', 'timeZone', 'notOn', 'statusUrl', 'statusEvents', 'consent')
DEFAULT: Any = {
 'type': 'model',
 'cls': Checked,
 'schema': {
  'type': 'model-fields',
  'fields': {
   'sendAt': {
    'type': 'model-field',
    'schema': {
     'type': 'default',
     'schema': {
      'type': 'function-after',
      'function': {'type': 'no-info', 'function': field_checks.check_send_at},
      'schema': {'type': 'nullable', 'schema': {'type': 'str'}},
     },
     'default': None,
    },
   },
   'windows': {
    'type': 'model-field',
    'schema': {
     'type': 'default',
     'schema': {
      'type': 'nullable',
      'schema': {
       'type': 'list',
       'items_schema': {
        'type': 'model',
        'cls': Checked,
        'schema': {
         'type': 'model-fields',
         'fields': {
          'from_': {
           'type': 'model-field',
           'schema': {
            'type': 'function-after',
            'function': {'type': 'with-info', 'function': field_checks.check_window_time},
            'schema': {'type': 'str'},
           },
           'validation_alias': 'from',
          },
          'to': {
           'type': 'model-field',
           'schema': {
            'type': 'function-after',
            'function': {'type': 'with-info', 'function': field_checks.check_window_time},
            'schema': {'type': 'str'},
           },
          },
          'days': {
           'type': 'model-field',
           'schema': {
            'type': 'default',
            'schema': {
             'type': 'function-after',
             'function': {'type': 'no-info', 'function': field_checks.check_window_days},
             'schema': {
              'type': 'list',
              'items_schema': {'type': 'literal', 'expected': ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']},
              'min_length': 1,
             },
            },
            'default': ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
           },
          },
         },
        },
        'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
       },
       'min_length': 1,
       'max_length': 7,
      },
     },
     'default': None,
    },
   },
   'timeZone': {
    'type': 'model-field',
    'schema': {
     'type': 'default',
     'schema': {
      'type': 'function-after',
      'function': {'type': 'no-info', 'function': field_checks.check_time_zone},
      'schema': {'type': 'nullable', 'schema': {'type': 'str'}},
     },
     'default': None,
    },
   },
   'notOn': {
    'type': 'model-field',
    'schema': {
     'type': 'default',
     'schema': {
      'type': 'nullable',
      'schema': {
       'type': 'list',
       'items_schema': {
        'type': 'function-after',
        'function': {'type': 'no-info', 'function': field_checks.check_day_off},
        'schema': {'type': 'str'},
       },
       'min_length': 1,
       'max_length': 100,
      },
     },
     'default': None,
    },
   },
   'statusUrl': {
    'type': 'model-field',
    'schema': {
     'type': 'default',
     'schema': {
      'type': 'function-after',
      'function': {'type': 'with-info', 'function': field_checks.check_status_url},
      'schema': {'type': 'nullable', 'schema': {'type': 'str', 'max_length': 2048}},
     },
     'default': None,
    },
   },
   'statusEvents': {
    'type': 'model-field',
    'schema': {
     'type': 'default',
     'schema': {
      'type': 'function-after',
      'function': {'type': 'no-info', 'function': field_checks.check_status_events},
      'schema': {
       'type': 'nullable',
       'schema': {
        'type': 'list',
        'items_schema': {'type': 'literal', 'expected': ['final', 'attempt', 'list', 'fallback']},
        'max_length': 4,
       },
      },
     },
     'default': None,
    },
   },
   'consent': {
    'type': 'model-field',
    'schema': {
     'type': 'default',
     'schema': {
      'type': 'nullable',
      'schema': {
       'type': 'model',
       'cls': Checked,
       'schema': {
        'type': 'model-fields',
        'fields': {
         'basis': {'type': 'model-field', 'schema': {'type': 'str', 'min_length': 1, 'max_length': 256}},
         'at': {
          'type': 'model-field',
          'schema': {
           'type': 'function-after',
           'function': {'type': 'no-info', 'function': field_checks.check_consent_moment},
           'schema': {'type': 'str', 'min_length': 1, 'max_length': 256},
          },
         },
         'ref': {'type': 'model-field', 'schema': {'type': 'str', 'min_length': 1, 'max_length': 256}},
        },
       },
       'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
      },
     },
     'default': None,
    },
   },
  },
 },
 'config': {'strict': True, 'extra_fields_behavior': 'forbid'},
}
