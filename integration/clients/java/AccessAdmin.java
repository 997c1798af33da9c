// SPDX-License-Identifier: Apache-2.0

import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourcePatternFilter;
import org.apache.kafka.common.resource.ResourceType;

/** Admin operations on who may do what: ACLs, users, quotas, tokens. */
final class AccessAdmin {
    private final Client client;
    private final Admin admin;

    AccessAdmin(Client client, Admin admin) {
        this.client = client;
        this.admin = admin;
    }

    void run() throws Exception {
        acls();
        users();
        quotas();
        System.out.println("token without a login: " + AdminMode.failure(
            () -> admin.createDelegationToken().delegationToken().get()));
    }

    private void acls() throws Exception {
        var pattern = new ResourcePattern(ResourceType.TOPIC,
            client.name + "-acl", PatternType.PREFIXED);
        var entry = new AccessControlEntry("User:carol", "*",
            AclOperation.READ, AclPermissionType.ALLOW);
        var binding = new AclBinding(pattern, entry);
        var filter = new AclBindingFilter(
            new ResourcePatternFilter(ResourceType.TOPIC, pattern.name(),
                PatternType.PREFIXED),
            AccessControlEntryFilter.ANY);
        admin.createAcls(List.of(binding)).all().get();
        var found = AdminMode.waitFor("ACL",
            () -> admin.describeAcls(filter).values().get(),
            all -> all.contains(binding));
        System.out.println("ACLs "
            + found.stream().map(AclBinding::entry).toList());
        System.out.println("ACLs deleted "
            + admin.deleteAcls(List.of(filter)).all().get().size());
        AdminMode.waitFor("end of ACL", () ->
            admin.describeAcls(filter).values().get().isEmpty());
    }

    private void users() throws Exception {
        String user = client.name + "-user";
        var mechanism = ScramMechanism.SCRAM_SHA_512;
        admin.alterUserScramCredentials(List.of(
            new UserScramCredentialUpsertion(user,
                new ScramCredentialInfo(mechanism, 4096), "secret")))
            .all().get();
        AdminMode.waitFor("user", () ->
            admin.describeUserScramCredentials().users().get()
                .contains(user));
        var described = AdminMode.waitFor("description of a user",
            () -> admin.describeUserScramCredentials(List.of(user))
                .description(user).get(), one -> true);
        System.out.println("user has " + described.credentialInfos());
        admin.alterUserScramCredentials(List.of(
            new UserScramCredentialDeletion(user, mechanism))).all().get();
    }

    private void quotas() throws Exception {
        var entity = new ClientQuotaEntity(
            Map.of(ClientQuotaEntity.CLIENT_ID, client.name));
        String key = "producer_byte_rate";
        var filter = ClientQuotaFilter.containsOnly(List.of(
            ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.CLIENT_ID,
                client.name)));
        admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity,
            List.of(new ClientQuotaAlteration.Op(key, 1e9))))).all().get();
        var found = AdminMode.waitFor("quota",
            () -> admin.describeClientQuotas(filter).entities().get(),
            all -> !all.isEmpty());
        System.out.println("quotas " + found.values().stream()
            .map(Map::toString)
            .collect(Collectors.toCollection(TreeSet::new)));
        admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity,
            List.of(new ClientQuotaAlteration.Op(key, null))))).all().get();
    }
}
