// The type support of the message as rclpy asks for it, instead of what rosidl_typesupport_c
// generates: that would look for one shared library for each of the two implementations.

#include <string.h>

#include "rosidl_runtime_c/message_type_support_struct.h"
#include "rosidl_typesupport_c/identifier.h"
#include "rosidl_typesupport_interface/macros.h"
#include "tf2_msgs/msg/detail/tf_message__functions.h"

#define GETTER(implementation) \
  ROSIDL_TYPESUPPORT_INTERFACE__MESSAGE_SYMBOL_NAME(implementation, tf2_msgs, msg, TFMessage)

typedef rosidl_message_type_support_t TypeSupport;

const TypeSupport * GETTER(rosidl_typesupport_fastrtps_c)();
const TypeSupport * GETTER(rosidl_typesupport_introspection_c)();

static const TypeSupport * find(const TypeSupport * self, const char * identifier)
{
  const TypeSupport * known[] = {
    self, GETTER(rosidl_typesupport_fastrtps_c)(), GETTER(rosidl_typesupport_introspection_c)()
  };
  for (size_t i = 0; i < sizeof(known) / sizeof(*known); ++i) {
    if (strcmp(known[i]->typesupport_identifier, identifier) == 0) {
      return known[i];
    }
  }
  return NULL;
}

const TypeSupport * GETTER(rosidl_typesupport_c)()
{
  static TypeSupport found = {
    NULL,
    NULL,
    find,
    tf2_msgs__msg__TFMessage__get_type_hash,
    tf2_msgs__msg__TFMessage__get_type_description,
    tf2_msgs__msg__TFMessage__get_type_description_sources,
  };
  found.typesupport_identifier = rosidl_typesupport_c__typesupport_identifier;
  return &found;
}
