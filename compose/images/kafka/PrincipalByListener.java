// Who somebody is to the broker: the listener they came to. Each listener is on a network of its
// own (compose/README.md), so who reaches one is already known, and nobody needs a password.
package marquee;

import org.apache.kafka.common.security.auth.AuthenticationContext;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder;

public final class PrincipalByListener extends DefaultKafkaPrincipalBuilder {
  public PrincipalByListener() {
    super(null, null); // no names of Kerberos or of certificates to be read
  }

  @Override
  public KafkaPrincipal build(AuthenticationContext context) {
    return new KafkaPrincipal(KafkaPrincipal.USER_TYPE, context.listenerName());
  }
}
